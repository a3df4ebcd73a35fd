/**
 * This process as one rank of a job that mpirun or srun started: only rank 0 prints; an error on any rank aborts the
 * job.
 */
import { availableParallelism } from 'node:os';
import { createMpiCommunicator, isCommunicatorError, type Communicator } from '@vastmax/collectives';
import { describeFailure, UsageError } from '../terminal/errors.ts';
import { warn } from '../terminal/terminal.ts';

/** An error that occurs on all ranks is printed by rank 0 only: the others wait this long before they print theirs. */
const otherRanksDelayMs = 3000;

/** @throws UsageError where there is no MPI, with what to install. */
export async function runAsRank(action: (communicator: Communicator) => Promise<void>): Promise<void> {
  using communicator = await joinJob();
  const { rank, size } = communicator;
  if (size === 1)
    warn('--distributed mpi, and this is the only process; start several with `mpirun -n 4 vastmax train …` or srun');
  const quiet = rank === 0 ? undefined : new QuietOutput();
  try {
    await action(communicator);
  } catch (error) {
    quiet?.[Symbol.dispose]();
    if (size === 1) throw error;
    if (rank > 0)
      await new Promise((resolve) => {
        setTimeout(resolve, otherRanksDelayMs);
      });
    communicator.abort(describeFailure(error).message);
  }
  quiet?.[Symbol.dispose]();
}

async function joinJob(): Promise<Communicator> {
  try {
    return await createMpiCommunicator();
  } catch (error) {
    if (isCommunicatorError(error) && error.code === 'unavailable')
      throw new UsageError(`--distributed mpi: ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * A process that a launcher has started as one of several, and that was not told so, would train alone, while ranks that
 * were told wait for it.
 * @throws UsageError.
 */
export function checkStartedAlone(environment: Readonly<Record<string, string | undefined>> = process.env): void {
  const variable = ['OMPI_COMM_WORLD_SIZE', 'PMI_SIZE'].find((name) => Number(environment[name]) > 1);
  if (variable === undefined) return;
  throw new UsageError(
    `this process was started as one of ${environment[variable] ?? ''} ranks, without --distributed mpi; add it, or unset ${variable} to train alone`,
  );
}

/** How many threads a rank may use: the machine's cores divided by its number of ranks. */
export function threadsOfRank(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  cores: number = availableParallelism(),
): number {
  // Open MPI; MPICH's hydra; Slurm, as `8` or `8(x4)`.
  const local = [
    environment['OMPI_COMM_WORLD_LOCAL_SIZE'],
    environment['MPI_LOCALNRANKS'],
    environment['SLURM_STEP_TASKS_PER_NODE'],
  ].find((value) => value !== undefined);
  return Math.max(1, Math.floor(cores / Math.max(1, Number.parseInt(local ?? '1', 10) || 1)));
}

/**
 * On all ranks except rank 0: output and progress are discarded until this is disposed. Errors are printed after that.
 */
export class QuietOutput implements Disposable {
  readonly #restore: readonly (() => void)[];

  constructor(streams: readonly NodeJS.WriteStream[] = [process.stdout, process.stderr]) {
    this.#restore = streams.map((stream) => {
      const { write } = stream;
      stream.write = (...args: readonly unknown[]): boolean => {
        // Calls the callback that waits for the text to be written.
        const done = args.at(-1);
        if (typeof done === 'function')
          queueMicrotask(() => {
            (done as () => void)();
          });
        return true;
      };
      return () => {
        stream.write = write;
      };
    });
  }

  [Symbol.dispose](): void {
    for (const restore of this.#restore) restore();
  }
}
