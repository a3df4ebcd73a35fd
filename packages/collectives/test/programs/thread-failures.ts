/** One rank of a thread job in which one rank leaves its duty; the data say which and how. */
import { runAsThreadRank } from '@vastmax/collectives';
import { failures, type FailureRequest } from './failures.ts';

await runAsThreadRank((communicator, data) => failures(communicator, data as FailureRequest));
