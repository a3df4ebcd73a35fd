/** Every version of an experiment checked, then all of them timed in turns, so that a disturbance hits all alike. */
import { performance } from 'node:perf_hooks';
import type { Experiment } from './experiment.ts';
import { preparePlan } from '@vastmax/gpu-backend-webgpu/testing';

const millisecondsPerTurn = 20;
const maxRunsPerTurn = 500;

/** One version of a kernel at one size; the lab's --json prints a list of them. */
export interface Row {
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
  /** Median of the turns, for one run of the plan. */
  readonly milliseconds: number;
  readonly gflops: number;
  /** Median time of the first version over this one's. */
  readonly timesFirst: number;
}

export async function measure(device: GPUDevice, experiment: Experiment, rounds: number): Promise<readonly Row[]> {
  const { kernel, size, flops, operands, versions, error } = experiment;
  const prepared = versions.map(({ plan, operands: own = operands }) => preparePlan(device, plan, own));
  const time = async (version: number, runs: number): Promise<number> => {
    const started = performance.now();
    prepared[version]?.submit(runs);
    await device.queue.onSubmittedWorkDone();
    return (performance.now() - started) / runs;
  };
  const errors: number[] = [];
  const runs: number[] = [];
  for (const [index, { operands: own = operands }] of versions.entries()) {
    await time(index, 1);
    errors.push(error((await prepared[index]?.read('out')) ?? new Float32Array(0), own));
    runs.push(Math.max(1, Math.min(maxRunsPerTurn, Math.round(millisecondsPerTurn / (await time(index, 1))))));
  }
  const times: number[][] = versions.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const index of versions.keys()) times[index]?.push(await time(index, runs[index] ?? 1));
  }
  for (const one of prepared) one.dispose();

  const medians = times.map((values) => values.toSorted((x, y) => x - y)[rounds >> 1] ?? Number.NaN);
  const [m, n, k] = size;
  return versions.map(({ name, ships, plan }, index) => {
    const milliseconds = medians[index] ?? Number.NaN;
    return {
      kernel,
      version: name,
      ships: ships ?? false,
      m,
      n,
      k,
      dispatches: plan.length,
      error: errors[index] ?? Number.NaN,
      milliseconds,
      gflops: flops / milliseconds / 1e6,
      timesFirst: (medians[0] ?? Number.NaN) / milliseconds,
    };
  });
}
