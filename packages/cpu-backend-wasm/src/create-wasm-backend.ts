import { LinalgError, type Backend } from '@vastmax/linalg-core';
import { WasmHeap } from './heap.ts';
import { canRun, compileKernels, requireWebAssembly } from './kernel-variants.ts';
import { instantiateKernels } from './kernels.ts';
import {
  checkThreads,
  countCores,
  createOwnMemory,
  createSharedMemory,
  findThreadObstacle,
  maxThreads,
  recordBlockedWorkers,
} from './thread-support.ts';
import { createBackendOver, type HostingBackend } from './wasm-backend.ts';
import type { HostWork } from './worker-host.ts';
import { createWorkerTeam } from './worker-team.ts';

/** Number of threads; all cores unless given, one where memory cannot be shared. */
export interface WasmBackendOptions {
  /** Only 'f32'. Solves and sums are computed in f64 internally. */
  readonly precision?: 'f32';
  /**
   * From 1 to 64, the calling thread included. Unless given, one for each core, or only one where threads are
   * impossible: `probeWasmBackend` reports the reason, and the backend's name has the number. More threads than cores
   * are not faster.
   */
  readonly threads?: number;
}

/**
 * A backend on WebAssembly SIMD. The first call compiles the kernels, some milliseconds; threads take some tens of
 * milliseconds to start. Its workers do not keep the process alive, and end with its disposal.
 * @throws LinalgError `bad-option` for another precision or number of threads, `device-lost` where the engine has no
 * WebAssembly or no SIMD, or no threads although more than one were requested, `out-of-memory` where there is no
 * address space for a heap
 */
export async function createWasmBackend(options: WasmBackendOptions = {}): Promise<Backend> {
  const { precision = 'f32', threads } = options;
  if (precision !== 'f32') {
    throw new LinalgError(
      'bad-option',
      `createWasmBackend: precision must be 'f32', got '${String(precision)}'; createPlainBackend has f64`,
    );
  }
  if (threads !== undefined) checkThreads(threads);
  const webAssembly = requireWebAssembly();
  const relaxed = canRun({ threaded: false, relaxed: true }, webAssembly);
  return createVariant({ threads, relaxed });
}

interface Variant {
  readonly threads: number | undefined;
  readonly relaxed: boolean;
  /** How much of the heap tables may take; half of its maximum unless given. */
  readonly maxTableBytes?: number;
}

/**
 * As `createWasmBackend`, with every choice made by the caller; for tests and the lab, which use kernels that would not
 * be chosen on this engine.
 */
export async function createVariant({ threads, relaxed, maxTableBytes }: Variant): Promise<Backend> {
  const wanted = threads ?? Math.min(maxThreads, countCores());
  if (wanted === 1) return createSingleThreaded(relaxed, maxTableBytes);
  let obstacle = findThreadObstacle(requireWebAssembly());
  if (obstacle === undefined) {
    const module = await compileKernels({ threaded: true, relaxed });
    try {
      return (await createShared(module, wanted, maxTableBytes === undefined ? {} : { maxTableBytes })).backend;
    } catch (error) {
      obstacle = recordBlockedWorkers(error);
    }
  }
  if (threads === undefined) return createSingleThreaded(relaxed, maxTableBytes);
  throw new LinalgError(
    'device-lost',
    `createWasmBackend: threads is ${threads}, but ${obstacle}; or leave threads out, and one thread is used here`,
  );
}

async function createSingleThreaded(relaxed: boolean, maxTableBytes: number | undefined): Promise<Backend> {
  const module = await compileKernels({ threaded: false, relaxed });
  const memory = createOwnMemory(requireWebAssembly());
  return createBackendOver(await instantiateKernels(module, memory), new WasmHeap(memory), undefined, maxTableBytes);
}

/** A backend on threads that also compute the chunks of a host. */
export interface HostedThreads {
  readonly backend: HostingBackend;
  /** The memory, for its address; it does not move. */
  readonly memory: Uint8Array;
  /** What workers read as `calls`. */
  readonly calls: Float64Array;
}

/** What a host has its threads compute; `source` and `data` as in HostWork. */
export interface HostedWork extends Pick<HostWork, 'source' | 'data'> {
  /** How many f64 `calls` has. */
  readonly length: number;
  /** Makes the function of `source` for the main thread. */
  readonly createCall: (calls: Float64Array) => (chunk: number) => void;
}

/**
 * For a backend that gives the same threads further work, so that they do not compete with those of a library: see
 * HostWork. Undefined where there are no threads.
 * @param threads from 2 on
 * @throws LinalgError `bad-option` for a number that is none of threads; what starting workers throws.
 */
export async function createHostedThreads(threads: number, work: HostedWork): Promise<HostedThreads | undefined> {
  checkThreads(threads);
  const webAssembly = requireWebAssembly();
  if (findThreadObstacle(webAssembly) !== undefined) return undefined;
  const relaxed = canRun({ threaded: true, relaxed: true }, webAssembly);
  return createShared(await compileKernels({ threaded: true, relaxed }), threads, { work });
}

async function createShared(
  module: object,
  threads: number,
  { maxTableBytes, work }: Pick<Variant, 'maxTableBytes'> & { readonly work?: HostedWork },
): Promise<HostedThreads> {
  const { memory, maxBytes } = createSharedMemory(requireWebAssembly());
  const heap = new WasmHeap(memory, maxBytes);
  const { source = '', data, length = 0, createCall } = work ?? {};
  const { offset } = heap.allocate(8 * length, 'createHostedThreads');
  const calls = new Float64Array(memory.buffer, offset, length);
  const kernels = await instantiateKernels(module, memory, createCall?.(calls));
  const hosted = work === undefined ? undefined : { source, data, offset, length };
  const team = await createWorkerTeam(module, memory, threads, hosted);
  const backend = createBackendOver(kernels, heap, team, maxTableBytes);
  return { backend, memory: new Uint8Array(memory.buffer), calls };
}
