/** One rank of the bench: a process of mpirun, which prints rank 0's report, or a thread. */
import { isMainThread } from 'node:worker_threads';
import { createMpiCommunicator, createSingleCommunicator, runAsThreadRank } from '@vastmax/collectives';
import { measureRank, type RankRequest } from './measure-rank.ts';

const [, , request = '{}', kind = 'mpi'] = process.argv;
if (!isMainThread) {
  await runAsThreadRank((communicator, data) => measureRank(communicator, data as RankRequest));
} else {
  using communicator = kind === 'single' ? createSingleCommunicator() : await createMpiCommunicator();
  const report = await measureRank(communicator, JSON.parse(request) as RankRequest);
  if (communicator.rank === 0) process.stdout.write(`${JSON.stringify(report)}\n`);
}
