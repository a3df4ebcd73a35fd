/**
 * Finds a usable library: only the one named by option or environment variable, if any; otherwise the first usable one
 * of the search list. koffi is imported here and not earlier, because its native part may be missing, and importing
 * this package must not fail then.
 */
import { deepStackBytes, openBlasLibrary, type BlasLibrary } from './blas-library.ts';
import { libraryCandidates, libraryVariable, whatToInstall } from './library-candidates.ts';
import type { LoadNativeLibrary, NativeFunction, NativeLibrary } from './native-functions.ts';

export interface LibrarySearch {
  /** The option `library`. */
  readonly library?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly candidates?: readonly string[];
  /** Rejects where koffi cannot be used. */
  readonly createLoader?: () => Promise<LoadNativeLibrary>;
}

export type LibraryFound =
  | { readonly library: BlasLibrary }
  | {
      readonly library: undefined;
      readonly reason: string;
      /** True when the user named the library: then a failure is an error instead of a missing library. */
      readonly named: boolean;
    };

/** Declared functions are kept until the process ends, so a library is declared once. */
const known = new Map<string, BlasLibrary>();

export async function findLibrary(search: LibrarySearch = {}): Promise<LibraryFound> {
  const { library, environment = process.env, candidates = libraryCandidates(process.platform, process.arch) } = search;
  const variable = environment[libraryVariable];
  const named = library ?? (variable === '' ? undefined : variable);
  const cacheable = search.createLoader === undefined;
  let load: LoadNativeLibrary;
  try {
    load = await (search.createLoader ?? createKoffiLoader)();
  } catch (cause) {
    const words = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    return {
      library: undefined,
      named: false,
      reason: `koffi, which calls native libraries, cannot be used here: ${String(words)}; reinstall with optional dependencies, on a platform that koffi has a build for`,
    };
  }
  const unusable: string[] = [];
  for (const file of named === undefined ? candidates : [named]) {
    const opened = (cacheable ? known.get(file) : undefined) ?? openBlasLibrary(load, file);
    if (!('problem' in opened)) {
      if (cacheable) known.set(file, opened);
      return { library: opened };
    }
    if (named !== undefined) {
      const origin = library === undefined ? libraryVariable : 'library';
      return { library: undefined, named: true, reason: `${origin}: ${opened.problem}` };
    }
    // A missing file is the ordinary case; a file that exists but is unusable is reported.
    if (opened.loaded) unusable.push(opened.problem);
  }
  const looked = candidates.length === 0 ? 'nowhere' : candidates.join(', ');
  return {
    library: undefined,
    named: false,
    reason: ['no BLAS library was found', whatToInstall, ...unusable, `looked for: ${looked}`].join('; '),
  };
}

/** @throws Error where koffi has no build for this platform, or was installed without it */
export async function createKoffiLoader(): Promise<LoadNativeLibrary> {
  const { default: koffi } = await import('koffi');
  try {
    koffi.config({ sync_stack_size: deepStackBytes });
  } catch {
    // Another user of koffi has loaded a library already: the stack stays as it is.
  }
  const { sync_stack_size: stackBytes } = koffi.config();
  type Handle = ReturnType<typeof koffi.load>;

  /** The loader can tell which file holds an address (POSIX). */
  const pathOf = (handle: Handle): string | undefined => {
    try {
      const findAddress = koffi.load(null).func('dladdr', 'int', ['void *', 'void *']);
      const information = new BigUint64Array(4);
      if (findAddress(handle.symbol('cblas_sgemm'), information) === 0) return undefined;
      return koffi.decode.string(information[0]);
    } catch {
      return undefined;
    }
  };

  return (file): NativeLibrary => {
    const handle = koffi.load(file);
    return {
      path: pathOf(handle) ?? file,
      stackBytes,
      func: (name, result, parameters) => handle.func(name, result, parameters) as NativeFunction,
      addressOf: (array) => Number(koffi.address(array)),
    };
  };
}
