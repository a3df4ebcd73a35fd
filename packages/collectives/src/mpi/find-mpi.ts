/**
 * Finds a usable MPI library: only the one named by option or environment variable, if any; otherwise the first usable
 * one of the search list. koffi is imported only here, dynamically, because its native part may be missing and
 * importing this package must not fail then. Nothing is initialised here: createMpiCommunicator does that, once.
 */
import { libraryCandidates, libraryVariable, whatToInstall } from './library-candidates.ts';
import { recogniseFamily, type MpiFamily } from './mpi-family.ts';
import { declareMpi, type LoadNativeLibrary, type MpiFunctions, type NativeFunction } from './mpi-functions.ts';
import { prepareEnvironment } from './library-environment.ts';

export interface MpiLibrary {
  readonly path: string;
  /** `Open MPI v4.1.4`. */
  readonly version: string;
  readonly family: MpiFamily;
  readonly functions: MpiFunctions;
}

export interface MpiSearch {
  /** The option `library`. */
  readonly library?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly candidates?: readonly string[];
  /** Rejects where koffi cannot be used. */
  readonly createLoader?: () => Promise<LoadNativeLibrary>;
}

export type MpiFound = { readonly library: MpiLibrary } | { readonly library: undefined; readonly reason: string };

export async function findMpi(search: MpiSearch = {}): Promise<MpiFound> {
  const { library, environment = process.env, candidates = libraryCandidates(process.platform, environment) } = search;
  const variable = environment[libraryVariable];
  const named = library ?? (variable === '' ? undefined : variable);
  let load: LoadNativeLibrary;
  try {
    load = await (search.createLoader ?? createKoffiLoader)();
  } catch (cause) {
    return {
      library: undefined,
      reason: `koffi, which calls native libraries, cannot be used here: ${firstLine(cause)}; reinstall with optional dependencies, on a platform that koffi has a build for`,
    };
  }
  const unusable: string[] = [];
  for (const file of named === undefined ? candidates : [named]) {
    const opened = openMpi(load, file);
    if (!('problem' in opened)) return { library: opened };
    if (named !== undefined)
      return {
        library: undefined,
        reason: `${library === undefined ? libraryVariable : 'library'}: ${opened.problem}`,
      };
    // Most candidates are not installed; one that is installed but unusable is reported.
    if (opened.loaded) unusable.push(opened.problem);
  }
  const looked = candidates.length === 0 ? 'nowhere: MPI on this platform is not supported' : candidates.join(', ');
  return {
    library: undefined,
    reason: ['no MPI library was found', whatToInstall, ...unusable, `looked for: ${looked}`].join('; '),
  };
}

/** Where the MPI library is, if not where it is looked for. */
export interface MpiProbeOptions {
  /** Path or name of an MPI library instead of the one that is searched for. */
  readonly library?: string;
}

/** The same form as the results of backend probes. */
export type MpiProbeResult =
  { readonly available: true; readonly detail: string } | { readonly available: false; readonly reason: string };

/**
 * Which MPI library would be used, or why there is none and what to install. Loads the library but does not initialise
 * it.
 */
export async function probeMpi(options: MpiProbeOptions = {}): Promise<MpiProbeResult> {
  const found = await findMpi({ library: options.library });
  return found.library === undefined
    ? { available: false, reason: found.reason }
    : { available: true, detail: `${found.library.version}, ${found.library.path}` };
}

function openMpi(
  load: LoadNativeLibrary,
  file: string,
): MpiLibrary | { readonly problem: string; readonly loaded: boolean } {
  try {
    const native = load(file);
    const family = recogniseFamily(native.path, native.addressOf);
    const functions = declareMpi(native, family);
    if (typeof functions === 'string') {
      return {
        loaded: true,
        problem: `${native.path} has no function ${functions}: it is no library of MPI 3 or later; name one that is, such as libmpi.so.40`,
      };
    }
    const text = new Uint8Array(8192);
    const length = new Int32Array(1);
    functions.getLibraryVersion(text, length);
    const words = new TextDecoder().decode(text.subarray(0, length[0]!)).split(/[\n,]/)[0] ?? '';
    return { path: native.path, version: words.replace(/\s+/g, ' ').replaceAll('\0', '').trim(), family, functions };
  } catch (cause) {
    return {
      loaded: false,
      problem: `${file} could not be loaded (${firstLine(cause)}); name the shared library of an MPI, such as libmpi.so.40`,
    };
  }
}

/** @throws Error where koffi has no build for this platform, or was installed without it */
async function createKoffiLoader(): Promise<LoadNativeLibrary> {
  const { default: koffi } = await import('koffi');
  prepareEnvironment(process.env);
  return (file) => {
    // Open MPI loads plugins that resolve its symbols among the global ones.
    const handle = koffi.load(file, { global: true });
    return {
      path: file,
      func: (name, result, parameters) => handle.func(name, result, parameters) as NativeFunction,
      addressOf: (symbol) => {
        try {
          const address: unknown = handle.symbol(symbol);
          return typeof address === 'bigint' ? address : undefined;
        } catch {
          return undefined;
        }
      },
    };
  };
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
}
