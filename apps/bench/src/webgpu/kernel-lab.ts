/**
 * The lab of the WebGPU backend, which compares the versions of its kernels: a program of that package, reached beside
 * its package.json.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BenchError } from '../measurement/bench-error.ts';
import { jsonOf } from '../measurement/child-program.ts';

/** One version of a kernel at one size: the shape of what the lab prints. */
export interface LabRow {
  readonly kernel: string;
  readonly version: string;
  /** What the backend runs. */
  readonly ships: boolean;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly dispatches: number;
  /** In units of what is allowed. */
  readonly error: number;
  /** Median of the rounds. */
  readonly milliseconds: number;
  readonly gflops: number;
  /** Times faster than the naive version. */
  readonly timesFirst: number;
}

export interface LabReport {
  readonly adapter: string;
  readonly rounds: number;
  readonly results: readonly LabRow[];
}

export interface LabOptions {
  readonly kernel: string;
  readonly rounds: number;
  readonly software: boolean;
}

/** @throws BenchError `failed` when the lab does: it could not run, or a version is wrong */
export async function runLab({ kernel, rounds, software }: LabOptions): Promise<LabReport> {
  const folder = dirname(createRequire(import.meta.url).resolve('@vastmax/gpu-backend-webgpu/package.json'));
  const printed = await jsonOf<LabReport>(join(folder, 'lab/main.ts'), [
    kernel,
    '--json',
    '--rounds',
    String(rounds),
    ...(software ? ['--software'] : []),
  ]);
  if ('failure' in printed)
    throw new BenchError('failed', `the lab of gpu-backend-webgpu failed with kernel ${kernel}: ${printed.failure}`);
  return printed;
}
