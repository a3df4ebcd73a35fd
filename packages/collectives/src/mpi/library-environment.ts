/**
 * MPI libraries read environment variables when they are loaded. Some of their defaults do not suit a process of Node.
 *
 * Open MPI busy-waits for messages, which assumes one core per rank. But a Node process has more threads than the one
 * that waits (compiler, garbage collector, event loop), and these then have no core. Two ranks on two cores took 3.5 to
 * 4.6 ms a step over shared memory, and 2.3 to 3.2 ms with a waiting rank that yields (`bench distributed`, 10⁴ to 10⁶
 * classes).
 *
 * UCX, the transport of most libraries:
 *
 * - To test its memory hooks it grows the heap by a page and shrinks it again, without checking that it grew. V8 often
 *   maps code right behind the heap; growing then fails, shrinking does not, and a page in use is lost: 6 of 132 jobs
 *   of three ranks crashed (UCX 1.13.1), 0 of 180 without hooks. Without them UCX registers memory with the network
 *   card for each large message, instead of once.
 * - It replaces the handler of SIGSEGV, by which V8 turns a WebAssembly access out of bounds into an error.
 *
 * Variables that the user has set are kept.
 */
const defaults: Readonly<Record<string, string>> = {
  OMPI_MCA_mpi_yield_when_idle: '1',
  UCX_MEM_EVENTS: 'no',
  UCX_HANDLE_ERRORS: 'none',
};

/**
 * To be called before the library is loaded.
 * @param environment process.env, which reaches the libraries of this process.
 */
export function prepareEnvironment(environment: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(defaults)) environment[name] ??= value;
}
