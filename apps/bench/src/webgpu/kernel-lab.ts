/** lab/webgpu, which compares the versions of the WebGPU backend's kernels: a program of its own. */
import { resolve } from 'node:path';
import type { Row } from '../../lab/webgpu/measure.ts';
import { BenchError } from '../measurement/bench-error.ts';
import { jsonOf } from '../measurement/child-program.ts';

export interface LabReport {
  readonly adapter: string;
  readonly rounds: number;
  readonly results: readonly Row[];
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
