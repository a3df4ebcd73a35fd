/** lab/webgpu, which compares the versions of the WebGPU backend's kernels: a program of its own. */
import { resolve } from 'node:path';
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
  const printed = await jsonOf<LabReport>(resolve(import.meta.dirname, '../../lab/webgpu/main.ts'), [
    kernel,
    '--json',
    '--rounds',
    String(rounds),
    ...(software ? ['--software'] : []),
  ]);
  if ('failure' in printed)
    throw new BenchError('failed', `lab/webgpu failed with the kernel ${kernel}: ${printed.failure}`);
  return printed;
}
