/** One rank of a thread job that trains the runs it is given. */
import { runAsThreadRank } from '@vastmax/collectives';
import { runDistributed, type DistributedRun, type DistributedRunResult } from './distributed-run.ts';

await runAsThreadRank(async (communicator, runs) => {
  const results: DistributedRunResult[] = [];
  for (const run of runs as readonly DistributedRun[]) results.push(await runDistributed(communicator, run));
  return results;
});
