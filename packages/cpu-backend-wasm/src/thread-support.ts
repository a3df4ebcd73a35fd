/** How many threads to use, whether threads are possible here, and if not, the reason and a remedy. */
import { LinalgError } from '@vastmax/linalg-core';
import { canRun } from './kernel-variants.ts';
import type { WasmMemory, WebAssemblyHost } from './web-assembly.ts';
import { canStartWorkers, findNodeModule } from './worker-host.ts';

/** More threads than are useful on any machine; each is a worker. */
export const maxThreads = 64;
const initialPages = 16;
const pageBytes = 65_536;
/** Address space that is reserved, not memory that is used; some phones and 32-bit engines have less than the 4 GiB. */
const maximumPages: readonly number[] = [65_536, 32_768, 16_384];

/** Set when a page's policy has blocked a worker, which only an attempt shows. */
let refusal: string | undefined;

interface Host {
  readonly crossOriginIsolated?: boolean;
  readonly SharedArrayBuffer?: unknown;
  readonly navigator?: { readonly hardwareConcurrency?: number };
}

/** How many cores this process may use. */
export function countCores(): number {
  const system = findNodeModule('node:os') as { availableParallelism?(): number } | undefined;
  return system?.availableParallelism?.() ?? (globalThis as Host).navigator?.hardwareConcurrency ?? 1;
}

/** @throws LinalgError `bad-option` */
export function checkThreads(threads: number): void {
  if (Number.isInteger(threads) && threads >= 1 && threads <= maxThreads) return;
  throw new LinalgError(
    'bad-option',
    `createWasmBackend: threads must be a whole number from 1 to ${maxThreads}, got ${String(threads)}; leave it out for one for each of the ${countCores()} cores`,
  );
}

/** Undefined where threads can be used; otherwise the reason and a remedy. */
export function findThreadObstacle(webAssembly: WebAssemblyHost): string | undefined {
  const { crossOriginIsolated, SharedArrayBuffer } = globalThis as Host;
  if (crossOriginIsolated === false || SharedArrayBuffer === undefined) {
    return (
      'this page has no shared memory, because it is not cross-origin isolated; serve it with the headers ' +
      'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp'
    );
  }
  if (!canStartWorkers()) return 'this engine has no workers; call createWasmBackend where there are some';
  if (!canRun({ threaded: true, relaxed: false }, webAssembly)) {
    return 'this engine has WebAssembly without threads; Node 16.4, Chrome 74, Firefox 79 and Safari 14.1 were the first with them';
  }
  return refusal;
}

export function recordBlockedWorkers(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  refusal = `starting a worker was refused: ${message}; a page's Content-Security-Policy must allow worker-src blob:, Node's permissions --allow-worker`;
  return refusal;
}

/** A shared memory that can grow as far as the engine allows. @throws RangeError when there is no address space */
export function createSharedMemory(webAssembly: WebAssemblyHost): {
  readonly memory: WasmMemory;
  readonly maxBytes: number;
} {
  let failure: unknown;
  for (const maximum of maximumPages) {
    try {
      const memory = new webAssembly.Memory({ initial: initialPages, maximum, shared: true });
      return { memory, maxBytes: maximum * pageBytes };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

export function createOwnMemory(webAssembly: WebAssemblyHost): WasmMemory {
  return new webAssembly.Memory({ initial: initialPages });
}
