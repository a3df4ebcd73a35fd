/**
 * MPI in this process, from MPI_Init_thread to MPI_Finalize. MPI can be initialised once in a process. It must be
 * finalised before the process ends, or the launcher reports a failure: this happens when the communicator is closed,
 * or at the latest when the process exits. A process that exits with an error calls MPI_Abort instead, because
 * MPI_Finalize would wait for ranks that wait for this one.
 */
import { writeSync } from 'node:fs';
import { CommunicatorError } from '../communicator-error.ts';
import { launcherOf } from './library-candidates.ts';
import { watchLauncher } from './launcher-watch.ts';
import type { MpiLibrary } from './find-mpi.ts';

/** MPI_THREAD_FUNNELED: Node has threads of its own, and only this one calls MPI. */
const funneled = 1;
/** Time for the launcher to forward the last line on stderr. */
const messageMs = 250;

export class MpiSession {
  readonly library: MpiLibrary;
  readonly rank: number;
  readonly size: number;
  readonly #watch: Disposable;
  #isOver = false;
  #uncaught: unknown;

  /** @throws CommunicatorError `unavailable`, `mpi`. */
  constructor(library: MpiLibrary, environment: Readonly<Record<string, string | undefined>> = process.env) {
    this.library = library;
    const { functions, family } = library;
    const word = new Int32Array(1);
    this.check('MPI_Initialized', functions.initialized(word));
    if (word[0] !== 0) {
      throw new CommunicatorError(
        'unavailable',
        'createMpiCommunicator: MPI was already initialised in this process, which can be done once; pass on the first communicator',
      );
    }
    // From here on calls may block.
    this.#watch = watchLauncher(environment);
    this.check('MPI_Init_thread', functions.initThread(null, null, funneled, word));
    this.check('MPI_Comm_rank', functions.commRank(family.world, word));
    this.rank = word[0]!;
    this.check('MPI_Comm_size', functions.commSize(family.world, word));
    this.size = word[0]!;
    this.check('MPI_Comm_set_errhandler', functions.setErrorHandler(family.world, family.errorsReturn));
    process.on('uncaughtExceptionMonitor', this.#remember);
    process.on('exit', this.#atExit);
    const launcher = launcherOf(environment);
    if (launcher !== undefined && launcher.size !== this.size) {
      this.close();
      throw new CommunicatorError(
        'unavailable',
        `createMpiCommunicator: ${launcher.variable} says that ${launcher.size} processes were started, ${library.version} (${library.path}) sees ${this.size}: launcher and ` +
          `library belong to different MPIs; start with the mpirun of ${library.family.name}, or name the library of the launcher in VASTMAX_MPI_LIBRARY`,
      );
    }
  }

  /**
   * @throws CommunicatorError `mpi` with the function, the rank and MPI's own message, unless the code is MPI_SUCCESS.
   */
  check(name: string, code: unknown, call: string = name): void {
    if (code === 0) return;
    const text = new Uint8Array(1024);
    const length = new Int32Array(1);
    this.library.functions.errorString(Number(code), text, length);
    const words = new TextDecoder().decode(text.subarray(0, length[0]!)).trim();
    throw new CommunicatorError(
      'mpi',
      `${call}: ${name} failed on rank ${this.rank}: ${words} (code ${Number(code)})`,
      { call, rank: this.rank },
    );
  }

  /** Writes the reason to stderr and ends all ranks. */
  abort(message: string, exitCode = 1): never {
    this.#isOver = true;
    writeSync(2, `vastmax: rank ${this.rank} of ${this.size} ends the job: ${message}\n`);
    // mpiexec of MPICH drops the last output of a process that calls MPI_Abort right after writing it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, messageMs);
    this.library.functions.abort(this.library.family.world, exitCode);
    // MPI_Abort should not return; if it does, the launcher sees this exit code.
    return process.exit(exitCode);
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    process.off('uncaughtExceptionMonitor', this.#remember);
    process.off('exit', this.#atExit);
    this.check('MPI_Finalize', this.library.functions.finalize());
    this.#watch[Symbol.dispose]();
  }

  readonly #remember = (error: unknown): void => {
    this.#uncaught = error;
  };

  readonly #atExit = (code: number): void => {
    if (this.#isOver) return;
    if (code === 0) this.close();
    else
      this.abort(
        this.#uncaught instanceof Error ? this.#uncaught.message : `the process exits with code ${code}`,
        code,
      );
  };
}
