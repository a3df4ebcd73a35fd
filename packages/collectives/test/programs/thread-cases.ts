/** One rank of a thread job that runs the cases whose ids it is given. */
import { runAsThreadRank } from '@vastmax/collectives';
import { communicatorCases } from '../communicator-cases.ts';

await runAsThreadRank((communicator) =>
  communicatorCases.map(({ id, run }) => {
    run(communicator);
    return id;
  }),
);
