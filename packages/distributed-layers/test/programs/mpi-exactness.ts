/**
 * One rank of an MPI job that trains the runs named on its command line as JSON, and prints all ranks' results from
 * rank 0.
 */
import { createMpiCommunicator } from '@vastmax/collectives';
import { runDistributed, type DistributedRun, type DistributedRunResult } from './distributed-run.ts';

using communicator = await createMpiCommunicator({ timeoutMs: 900_000 });
const results: DistributedRunResult[] = [];
for (const run of JSON.parse(process.argv[2] ?? '[]') as DistributedRun[])
  results.push(await runDistributed(communicator, run));
const own = new TextEncoder().encode(`${JSON.stringify(results)}\n`);
const lengths = new Int32Array(communicator.size);
communicator.allGather(Int32Array.of(own.length), new Int32Array(communicator.size).fill(1), lengths);
const all = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
communicator.allGather(own, lengths, all);
if (communicator.rank === 0) process.stdout.write(all);
