/** Where the time of a factored step goes, by groups of kernels. */
import type { Backend } from '@vastmax/linalg-core';
import type { FactoredOutputLayer } from '@vastmax/spherical-losses';
import { KernelProfile, type StepSizes } from '../measurement/kernel-profile.ts';
import type { MinibatchCycle } from '../workload/minibatches.ts';

export interface StepProfile {
  /** With the clock of the profile in it. */
  readonly stepMs: number;
  /** What is left over, `outside the kernels`, is JavaScript between the calls. Shares of stepMs add up to 1. */
  readonly groups: readonly {
    readonly group: string;
    readonly ms: number;
    readonly share: number;
    readonly callsPerStep: number;
  }[];
}

const steps = 100;
const warmup = 5;

/** Mean over 100 steps: medians of parts would not add up. */
export async function profileSteps(
  backend: Backend,
  layer: FactoredOutputLayer,
  batches: MinibatchCycle,
  learningRate: number,
  sizes: StepSizes,
): Promise<StepProfile> {
  using profile = new KernelProfile(backend, sizes);
  const run = async (): Promise<void> => {
    const { hidden, targets } = batches.next();
    await layer.step(hidden, targets, { learningRate });
  };
  for (let step = 0; step < warmup; step++) await run();
  profile.reset();
  const start = performance.now();
  for (let step = 0; step < steps; step++) await run();
  const total = performance.now() - start;
  const groups = profile.groups();
  const inKernels = groups.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const all = [...groups, { group: 'outside the kernels', milliseconds: total - inKernels, calls: 0 }];
  return {
    stepMs: total / steps,
    groups: all.map(({ group, milliseconds, calls }) => ({
      group,
      ms: milliseconds / steps,
      share: milliseconds / total,
      callsPerStep: calls / steps,
    })),
  };
}
