/** Memory of this process as the engine and the system see it. */
import { freemem } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface HeapUse {
  /** Objects of JavaScript. */
  readonly heapBytes: number;
  /** Typed arrays and what else V8 knows of outside its heap; a WebAssembly memory among them. */
  readonly externalBytes: number;
}

let collect: (() => void) | undefined;

/**
 * After a full collection of garbage, twice, so that what the first one unlinked is gone too. Needs no flag on the
 * command line.
 */
export function heapUseAfterCollection(): HeapUse {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return { heapBytes: heapUsed, externalBytes: external };
}

/** What is in physical memory, in bytes. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}

/** The most that was in physical memory since the process began, in bytes: Linux's VmHWM. */
export function peakResidentBytes(): number {
  return 1024 * process.resourceUsage().maxRSS;
}

/** What can still be allocated without swapping, in bytes: on Linux MemAvailable. */
export function availableBytes(): number {
  return freemem();
}
