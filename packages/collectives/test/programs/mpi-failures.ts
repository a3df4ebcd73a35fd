/**
 * One rank of an MPI job in which one rank leaves its duty; its command line says which and how, and after how long the
 * others must lose patience.
 */
import { createMpiCommunicator } from '@vastmax/collectives';
import { failures, type FailureRequest } from './failures.ts';

const [, , request = '{}', timeoutMs = '1000'] = process.argv;
const communicator = await createMpiCommunicator({ timeoutMs: Number(timeoutMs) });
failures(communicator, JSON.parse(request) as FailureRequest);
process.stdout.write('nothing happened\n');
