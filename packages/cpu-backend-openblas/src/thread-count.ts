/** Turns the option `threads` into the library's thread count. */
import { availableParallelism } from 'node:os';
import { LinalgError } from '@vastmax/linalg-core';
import type { BlasLibrary, ThreadCount } from './blas-library.ts';

/** More than any machine has; some libraries accept any number and fail later. */
const maxThreads = 1024;

/** @throws LinalgError `bad-option` */
export function checkThreadCount(threads: number | undefined): void {
  if (threads === undefined || (Number.isSafeInteger(threads) && threads >= 1 && threads <= maxThreads)) return;
  throw new LinalgError(
    'bad-option',
    `createOpenBlasBackend: threads must be a whole number from 1 to ${maxThreads}, got ${String(threads)}`,
  );
}

/**
 * How many threads this library will run: as many as requested, or the number of cores; undefined when it cannot be set
 * and none was requested.
 * @throws LinalgError `bad-option` when more are requested than it was built for, or its count cannot be set
 */
export function chooseThreadCount(
  { threads: control, path }: Pick<BlasLibrary, 'threads' | 'path'>,
  wanted: number | undefined,
): number | undefined {
  if (control === undefined) {
    if (wanted === undefined) return undefined;
    throw new LinalgError(
      'bad-option',
      `createOpenBlasBackend: threads is ${wanted}, but the thread count of ${path} cannot be set from here; leave threads out and use the library's own environment variable`,
    );
  }
  const most = largestThreadCount(control, wanted ?? availableParallelism());
  if (wanted !== undefined && most < wanted) {
    throw new LinalgError(
      'bad-option',
      `createOpenBlasBackend: threads is ${wanted}, but ${path} was built for at most ${most}`,
    );
  }
  return most;
}

/** The library limits a count to what it was built for; the count of the process is restored. */
function largestThreadCount(control: ThreadCount, wanted: number): number {
  const before = control.get();
  if (before === wanted) return wanted;
  control.set(wanted);
  const got = control.get();
  control.set(before);
  return Math.min(got, wanted);
}
