/**
 * MPI libraries are tuned by environment variables that they read when they are loaded. Some defaults are wrong in a
 * process of Node's.
 *
 * Open MPI waits for a message by asking for it over and over, on the grounds that a rank has its core to itself. A
 * process of Node's has more threads than the one that waits (compiler, garbage collector, its event loop's), and they
 * then find no core: two ranks on two cores took 3.5 to 4.6 ms a step over shared memory so, and 2.3 to 3.2 ms where a
 * rank that waits lets others go first (`bench distributed`, 10⁴ to 10⁶ classes).
 *
 * UCX, which carries the messages of most libraries:
 *
 * - To try its memory hooks it grows the heap by a page and takes the page back, without looking whether it grew. V8 often maps its code right behind
 *   the heap; there the growing fails, the taking back does not, and a page in use is gone: 6 of 132 jobs of three
 *   ranks died of it (UCX 1.13.1), 0 of 180 without hooks. Without them UCX registers memory with the network card at
 *   each large message instead of remembering it.
 * - It takes SIGSEGV over, which V8 uses to turn a WebAssembly access out of bounds into an error.
 *
 * What the user has set stays.
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
