/** One rank of a thread job that trains small models. */
import { runAsThreadRank } from '@vastmax/collectives';
import { trainAll, type SmallTraining } from './small-training.ts';

await runAsThreadRank((communicator, request) => trainAll(communicator, request as readonly SmallTraining[]));
