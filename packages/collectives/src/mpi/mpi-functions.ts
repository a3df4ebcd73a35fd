/**
 * The MPI functions that are used, declared for a family of libraries. koffi passes a typed array as the address of its
 * numbers, without a copy. Non-blocking operations use that address until they are complete, so the caller must keep
 * the arrays alive. Each function returns MPI's error code.
 */
import type { MpiFamily } from './mpi-family.ts';

/** The part of koffi that is used, so that tests can replace it. */
export interface NativeLibrary {
  readonly path: string;
  /** @throws Error when there is no such function. */
  func(name: string, result: string, parameters: string[]): NativeFunction;
  /** The address of a data symbol. */
  addressOf(symbol: string): bigint | undefined;
}

export type NativeFunction = (...values: (number | bigint | ArrayBufferView | null)[]) => unknown;

/** @throws Error with the message of the system's loader. */
export type LoadNativeLibrary = (file: string) => NativeLibrary;

export interface MpiFunctions {
  readonly getLibraryVersion: NativeFunction;
  readonly initialized: NativeFunction;
  readonly initThread: NativeFunction;
  readonly finalize: NativeFunction;
  readonly commRank: NativeFunction;
  readonly commSize: NativeFunction;
  readonly setErrorHandler: NativeFunction;
  readonly errorString: NativeFunction;
  readonly abort: NativeFunction;
  readonly iallgatherv: NativeFunction;
  readonly ibcast: NativeFunction;
  readonly ibarrier: NativeFunction;
  readonly testAll: NativeFunction;
  readonly isend: NativeFunction;
  readonly ireceive: NativeFunction;
  readonly iprobe: NativeFunction;
  readonly receive: NativeFunction;
}

/** The functions, or the name of the first that the library lacks. Non-blocking collectives came with MPI 3 (2012). */
export function declareMpi(library: NativeLibrary, { handle }: Pick<MpiFamily, 'handle'>): MpiFunctions | string {
  const p = 'void *';
  const declarations: Readonly<Record<keyof MpiFunctions, readonly [name: string, ...parameters: string[]]>> = {
    getLibraryVersion: ['MPI_Get_library_version', p, p],
    initialized: ['MPI_Initialized', p],
    initThread: ['MPI_Init_thread', p, p, 'int', p],
    finalize: ['MPI_Finalize'],
    commRank: ['MPI_Comm_rank', handle, p],
    commSize: ['MPI_Comm_size', handle, p],
    setErrorHandler: ['MPI_Comm_set_errhandler', handle, handle],
    errorString: ['MPI_Error_string', 'int', p, p],
    abort: ['MPI_Abort', handle, 'int'],
    iallgatherv: ['MPI_Iallgatherv', p, 'int', handle, p, p, p, handle, handle, p],
    ibcast: ['MPI_Ibcast', p, 'int', handle, 'int', handle, p],
    ibarrier: ['MPI_Ibarrier', handle, p],
    testAll: ['MPI_Testall', 'int', p, p, p],
    isend: ['MPI_Isend', p, 'int', handle, 'int', 'int', handle, p],
    ireceive: ['MPI_Irecv', p, 'int', handle, 'int', 'int', handle, p],
    iprobe: ['MPI_Iprobe', 'int', 'int', handle, p, p],
    receive: ['MPI_Recv', p, 'int', handle, 'int', 'int', handle, p],
  };
  const found: Record<string, NativeFunction> = {};
  for (const [key, [name, ...parameters]] of Object.entries(declarations)) {
    try {
      found[key] = library.func(name, 'int', parameters);
    } catch {
      return name;
    }
  }
  return found as unknown as MpiFunctions;
}
