/** One rank of an MPI job that runs every case and says so, each rank one line. */
import { createMpiCommunicator } from '@vastmax/collectives';
import { communicatorCases } from '../communicator-cases.ts';

using communicator = await createMpiCommunicator({ timeoutMs: 900_000 });
for (const { id, run } of communicatorCases) {
  try {
    run(communicator);
  } catch (error) {
    throw new Error(`${id}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
process.stdout.write(`rank ${communicator.rank} of ${communicator.size} passed ${communicatorCases.length} cases\n`);
