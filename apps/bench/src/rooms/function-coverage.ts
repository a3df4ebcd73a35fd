/**
 * Which source files run functions, by V8's precise coverage of this thread. The top level of a module does not count,
 * nor do functions that ran before the count began: `start` after the modules are evaluated, and what runs only while
 * they are does not count either.
 */
import { type Profiler, Session } from 'node:inspector';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

export class FunctionCoverage implements Disposable {
  readonly #session = new Session();
  readonly #folders: readonly string[];

  /** @param folders absolute paths; files elsewhere do not count. */
  constructor(folders: readonly string[]) {
    this.#folders = folders.map((folder) => `${folder}/`);
  }

  start(): void {
    // Optimised code does not count calls, and functions that were optimised before go back when the count begins.
    setFlagsFromString('--no-opt');
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    this.takeFiles();
  }

  /** Paths of the files that ran a function since the last call, sorted. */
  takeFiles(): string[] {
    const coverage = this.#post<Profiler.TakePreciseCoverageReturnType>('Profiler.takePreciseCoverage');
    return filesOf(coverage.result).filter((path) => this.#folders.some((folder) => path.startsWith(folder)));
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  /** Calls back before it returns: the session is one of this thread. */
  #post<Result = object>(method: string, parameters: object = {}): Result {
    let result: Result | undefined;
    this.#session.post(method, parameters, (error, value) => {
      if (error !== null) throw new Error(`${method}: ${error.message}`, { cause: error });
      result = value as Result;
    });
    if (result === undefined) throw new RangeError(`${method} has not answered at once`);
    return result;
  }
}

/** Of scripts that are files, those that ran a function, sorted. */
export function filesOf(scripts: readonly Profiler.ScriptCoverage[]): string[] {
  const files = new Set<string>();
  for (const { url, functions } of scripts) {
    // A loader may have added a query to the module's URL.
    if (url.startsWith('file:') && functions.some(isCounted)) files.add(fileURLToPath(url.replace(/[?#].*/, '')));
  }
  return [...files].sort();
}

function isCounted({ functionName, ranges }: Profiler.FunctionCoverage): boolean {
  const [whole] = ranges;
  if (whole === undefined || whole.count === 0) return false;
  const isTopLevel = functionName === '' && whole.startOffset === 0;
  // esbuild, by which tsx reads TypeScript, puts a function of this name into each file.
  return !isTopLevel && functionName !== '__name';
}
