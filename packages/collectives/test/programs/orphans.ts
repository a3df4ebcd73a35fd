/**
 * One rank of an MPI job that never ends by itself: the last rank computes, the others wait for it. Each says that it
 * has got there by a file with its process id.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMpiCommunicator } from '@vastmax/collectives';

const [, , folder = ''] = process.argv;
const communicator = await createMpiCommunicator();
const { rank, size } = communicator;
communicator.barrier();
const file = join(folder, `rank-${rank}`);
writeFileSync(`${file}.new`, String(process.pid));
renameSync(`${file}.new`, file);
if (rank === size - 1) for (;;) continue;
communicator.barrier();
