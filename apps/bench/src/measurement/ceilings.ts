/**
 * The machine's own limits, measured in the same rounds as a result: a square product of the same backend, and a
 * copy of memory.
 */
import { createMatrixFrom, gemm, type Backend } from '@vastmax/linalg-core';
import type { BackendInUse } from './backend-choice.ts';
import type { TimedTask } from './interleaved-timing.ts';
import { gemmFlops } from './operation-counts.ts';
import type { Spread } from './statistics.ts';

/** Long enough for the clock, short enough for many rounds. */
const sampleMs = 4;
/** Milliseconds; the threads of a BLAS may go on spinning for a while after a call. */
const threadPauseMs = 30;
const copyBytes = 64 * 2 ** 20;

export const squareSize = 512;

export interface Ceilings {
  /** GFLOP/s of the backend's own 512×512×512 product, with the threads of the bench. */
  readonly gemmGflops: number;
  readonly gemm: Spread;
  /** GB/s of one thread copying 64 MiB, bytes read and bytes written both counted. */
  readonly copyGigabytesPerSecond: number;
}

/** A product of an m×k by a k×n matrix, as a timed task. Its operands live as long as the backend. */
export function gemmTask(backend: Backend, inUse: BackendInUse, m: number, n: number, k: number): TimedTask {
  const a = createMatrixFrom(backend, m, k, waves(m * k));
  const b = createMatrixFrom(backend, k, n, waves(k * n));
  const out = backend.createMatrix(m, n);
  return {
    name: gemmName(inUse, m, n, k),
    sampleMs,
    pauseMs: pauseAfter(inUse),
    run: async (times) => {
      for (let i = 0; i < times; i++) gemm(a, b, out);
      await backend.synchronize();
    },
  };
}

export function gemmName({ name, threads }: BackendInUse, m: number, n: number, k: number): string {
  return `gemm ${m}×${n}×${k} on ${name}, threads: ${threads}`;
}

/** What to wait after a sample of this backend. */
export function pauseAfter({ threads }: BackendInUse): number {
  return threads > 1 ? threadPauseMs : 0;
}

export function copyTask(): TimedTask {
  const source = new Float32Array(copyBytes / 4).fill(1);
  const target = new Float32Array(copyBytes / 4);
  return {
    name: 'copy of memory',
    run: (times) => {
      for (let i = 0; i < times; i++) target.set(source);
      return Promise.resolve();
    },
  };
}

/** From the timings of a 512 product and of the copy, both in milliseconds. */
export function ceilingsFrom(gemmMs: Spread, copyMs: Spread): Ceilings {
  return {
    gemmGflops: gflops(gemmFlops(squareSize, squareSize, squareSize), gemmMs.median),
    gemm: gemmMs,
    copyGigabytesPerSecond: copyRate(copyMs),
  };
}

export function copyRate(copyMs: Spread): number {
  return (2 * copyBytes) / copyMs.median / 1e6;
}

export function gflops(operations: number, milliseconds: number): number {
  return operations / milliseconds / 1e6;
}

/** Numbers of both signs and of one size: no denormals, nothing that a product could skip. */
function waves(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(1 + 7 * i));
}
