/** A native BLAS that this backend can use: its functions, its description, and its thread count. */
import {
  declareBlas,
  declareGemmByAddress,
  declareLapack,
  fortranInteger,
  type BlasFunctions,
  type GemmByAddress,
  type LapackFunctions,
  type LoadNativeLibrary,
  type NativeLibrary,
} from './native-functions.ts';

export interface BlasLibrary {
  /** `OpenBLAS 0.3.21 Haswell, /usr/lib/x86_64-linux-gnu/libopenblas.so.0`. */
  readonly description: string;
  readonly path: string;
  readonly f32: BlasFunctions;
  readonly f64: BlasFunctions;
  readonly lapack: { readonly f32: LapackFunctions; readonly f64: LapackFunctions } | undefined;
  /**
   * Whether LAPACK may factorise with several threads: OpenBLAS's getrf_parallel takes half a megabyte of stack (built
   * for 128 threads) at each of up to eight levels of its recursion, and nothing notices when the stack ends.
   */
  readonly hasDeepStack: boolean;
  /** For SharedProducts; undefined where addresses are not known. */
  readonly gemmByAddress: GemmByAddress | undefined;
  readonly addressOf: ((array: ArrayBufferView) => number) | undefined;
  /** undefined where the library has no known function for it. */
  readonly threads: ThreadCount | undefined;
}

/** The count of the whole process, shared with other users of the library. */
export interface ThreadCount {
  get(): number;
  set(count: number): void;
}

/** Eight levels of a library that was built for 256 threads, twice. */
export const deepStackBytes: number = 16 * 2 ** 20;

/** The library, or a message that names the file, what is wrong with it and what to do. */
export function openBlasLibrary(
  load: LoadNativeLibrary,
  file: string,
): BlasLibrary | { readonly problem: string; readonly loaded: boolean } {
  let native: NativeLibrary;
  try {
    native = load(file);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    return {
      loaded: false,
      problem: `${file} could not be loaded (${words}); name the shared library of a BLAS, such as libopenblas.so.0`,
    };
  }
  const { path } = native;
  const f32 = declareBlas(native, 'f32');
  const f64 = declareBlas(native, 'f64');
  const missing = typeof f32 === 'string' ? f32 : f64;
  if (typeof f32 === 'string' || typeof f64 === 'string') {
    return {
      loaded: true,
      problem: `${path} has no function ${String(missing)}: it is not a BLAS with the C interface; name one that is, such as libopenblas.so.0`,
    };
  }
  const single = declareLapack(native, 'f32');
  const double = declareLapack(native, 'f64');
  const lapack = single === undefined || double === undefined ? undefined : { f32: single, f64: double };
  if (hasWideIntegers(native, single)) {
    return {
      loaded: true,
      problem: `${path} was built with 64-bit integers (ILP64), this backend calls it with 32-bit ones; name the ordinary build, such as libopenblas.so.0 rather than libopenblas64.so.0`,
    };
  }
  const threads = findThreadCount(native);
  return {
    description: describe(native, lapack !== undefined, threads !== undefined),
    path,
    f32,
    f64,
    lapack,
    hasDeepStack: native.stackBytes === undefined || native.stackBytes >= deepStackBytes,
    gemmByAddress: declareGemmByAddress(native),
    addressOf: native.addressOf?.bind(native),
    threads,
  };
}

/**
 * Detected by where the second pivot of a 2×2 matrix is written, 4 or 8 bytes after the first; without LAPACK only BLIS
 * reports it.
 */
function hasWideIntegers(library: NativeLibrary, lapack: LapackFunctions | undefined): boolean {
  if (lapack === undefined) return ask(library, 'bli_info_get_blas_int_type_size', 'int64') === 64;
  const two = fortranInteger(2);
  const pivots = new Int32Array(4).fill(-1);
  lapack.getrf(two, two, Float32Array.of(1, 0, 0, 1), two, pivots, fortranInteger(0));
  return pivots[1] === 0;
}

function findThreadCount(library: NativeLibrary): ThreadCount | undefined {
  const pairs = [
    ['openblas_get_num_threads', 'openblas_set_num_threads', 'int'],
    ['bli_thread_get_num_threads', 'bli_thread_set_num_threads', 'int64'],
    ['MKL_Get_Max_Threads', 'MKL_Set_Num_Threads', 'int'],
  ] as const;
  for (const [getter, setter, integer] of pairs) {
    try {
      const get = library.func(getter, integer, []);
      const set = library.func(setter, 'void', [integer]);
      return { get: () => Number(get()), set: (count) => void set(count) };
    } catch {
      continue;
    }
  }
  return undefined;
}

function describe(library: NativeLibrary, lapack: boolean, threads: boolean): string {
  return [
    `${nameOf(library)}, ${library.path}`,
    ...(lapack ? [] : ['it has no LAPACK, so small systems are solved without it']),
    ...(threads ? [] : ['its thread count cannot be set from here']),
  ].join('; ');
}

function nameOf(library: NativeLibrary): string {
  const openBlas = /^OpenBLAS \S+/.exec(String(ask(library, 'openblas_get_config', 'str')))?.[0];
  if (openBlas !== undefined) return `${openBlas} ${String(ask(library, 'openblas_get_corename', 'str') ?? '')}`.trim();
  const blis = ask(library, 'bli_info_get_version_str', 'str');
  if (blis !== undefined) return `BLIS ${String(blis)}`;
  if (ask(library, 'MKL_Get_Max_Threads', 'int') !== undefined) return 'MKL';
  return library.path.includes('Accelerate') ? 'Accelerate' : 'CBLAS';
}

/** The value of a function without arguments, undefined where there is none. */
function ask(library: NativeLibrary, name: string, result: string): unknown {
  try {
    const value = library.func(name, result, [])();
    return typeof value === 'bigint' ? Number(value) : value;
  } catch {
    return undefined;
  }
}
