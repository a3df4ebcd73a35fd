/**
 * `bench webgpu`: on the machine's GPU, or on the one in software where there is none, the versions of the matrix
 * product side by side, and a step of the factored layer with what it asks of the device.
 */
import { createWebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import { findGpu, type GpuInUse } from './gpu-in-use.ts';
import { type LabReport, runLab } from './kernel-lab.ts';
import { measureSteps, type StepMeasurement, type StepOptions } from './step-measurement.ts';

export interface WebGpuOptions extends StepOptions {
  readonly software: boolean;
  /** Of the lab. */
  readonly rounds: number;
}

export interface WebGpuReport {
  readonly bench: 'webgpu';
  readonly machine: Machine;
  readonly gpu: GpuInUse;
  readonly lab: LabReport;
  /** Of the product at 512×512×512: what ships, times faster than the naive version. */
  readonly shippedToNaive: number | null;
  readonly step: StepMeasurement & { readonly options: StepOptions };
}

const labKernel = 'gemm';
const squareSize = 512;

export async function measureWebGpu(
  { software, rounds, ...options }: WebGpuOptions,
  show: ShowStage,
): Promise<WebGpuReport> {
  const gpu = await findGpu(software);
  show('versions of the product');
  const lab = await runLab({ kernel: labKernel, rounds, software: gpu.kind === 'software' });
  const backend = await createWebGpuBackend();
  try {
    const step = await measureSteps(backend, options, show);
    return {
      bench: 'webgpu',
      machine: describeMachine(),
      gpu,
      lab,
      shippedToNaive: shippedToNaive(lab),
      step: { ...step, options },
    };
  } finally {
    await backend.dispose();
  }
}

function shippedToNaive({ results }: LabReport): number | null {
  const shipped = results.find(({ ships, m, n, k }) => ships && [m, n, k].every((size) => size === squareSize));
  return shipped?.timesFirst ?? null;
}
