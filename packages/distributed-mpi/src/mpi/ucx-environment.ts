/**
 * UCX, which carries the messages of most MPI libraries, is tuned by environment variables that it reads when it is loaded. Two of its defaults are
 * wrong in a process of Node's:
 *
 * - To try its memory hooks it grows the heap by a page and takes the page back, without looking whether it grew. V8 often maps its code right behind
 *   the heap; there the growing fails, the taking back does not, and a page in use is gone: 6 of 132 jobs of three ranks died of it (UCX 1.13.1),
 *   0 of 180 without hooks. Without them UCX registers memory with the network card at each large message instead of remembering it.
 * - It takes SIGSEGV over, which V8 uses to turn a WebAssembly access out of bounds into an error.
 *
 * What the user has set stays.
 */
const defaults: Readonly<Record<string, string>> = { UCX_MEM_EVENTS: 'no', UCX_HANDLE_ERRORS: 'none' };

/** To be called before the library is loaded. @param environment process.env, which reaches the libraries of this process. */
export function prepareUcx(environment: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(defaults)) environment[name] ??= value;
}
