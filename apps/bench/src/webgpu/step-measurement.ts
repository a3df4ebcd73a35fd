/**
 * Steps of the factored layer on a GPU: what each asks of the device, and how long many of them take. The layer
 * verifies its steps asynchronously, 16 at a time after many steps; the steps that are counted come after so many.
 */
import type { WebGpuBackend, WebGpuCounters } from '@vastmax/gpu-backend-webgpu';
import { spreadOf, type Spread } from '../measurement/statistics.ts';
import { createBenchLayer, settingsOf } from '../workload/factored-layer.ts';
import { MinibatchCycle } from '../workload/minibatches.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';

export interface StepOptions {
  readonly classes: number;
  readonly features: number;
  readonly batch: number;
  readonly loss: string;
  /** Before anything is counted or timed. */
  readonly warmup: number;
  /** Of one sample. */
  readonly steps: number;
  readonly samples: number;
}

export type StepCounts = Readonly<Record<keyof WebGpuCounters, number>>;

export interface StepMeasurement {
  readonly form: string;
  /** The median of the steps of all samples, for each count. */
  readonly typical: StepCounts;
  /** Over all samples, with the verification of the steps. */
  readonly mean: StepCounts;
  /** Milliseconds of a step in each sample; a sample ends when the device has done everything. */
  readonly milliseconds: Spread;
  readonly examplesPerSecond: number;
}

const cycled = 16;

export async function measureSteps(
  backend: WebGpuBackend,
  options: StepOptions,
  show: ShowStage,
): Promise<StepMeasurement> {
  const { classes, features, batch, loss, warmup, steps, samples } = options;
  const settings = settingsOf(loss);
  show('creating the factored layer');
  using layer = await createBenchLayer(backend, classes, features, settings);
  using batches = new MinibatchCycle(backend, { classes, features, batch, count: cycled, distribution: 'zipf' });
  const step = async (): Promise<void> => {
    const { hidden, targets } = batches.next();
    await layer.step(hidden, targets, { learningRate: settings.learningRate });
  };
  for (let i = 0; i < warmup; i++) {
    show('warming up', `step ${i + 1} of ${warmup}`);
    await step();
  }
  // Without verifying the steps: when that happens decides which bind groups the next steps need.
  await backend.synchronize();

  const before = { ...backend.counters };
  const counted: StepCounts[] = [];
  const milliseconds: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    show('steps', `sample ${sample + 1} of ${samples}`);
    const start = performance.now();
    for (let i = 0; i < steps; i++) {
      const last = { ...backend.counters };
      await step();
      counted.push(countsSince(last, backend.counters));
    }
    await backend.synchronize();
    milliseconds.push((performance.now() - start) / steps);
  }
  const all = countsSince(before, backend.counters);
  await layer.confirmSteps();
  const { form } = layer.counters;
  if (form === undefined) throw new RangeError('the factored layer has made no step');
  const spread = spreadOf(milliseconds);
  return {
    form,
    typical: mapCounts(all, (name) => spreadOf(counted.map((counts) => counts[name])).median),
    mean: mapCounts(all, (name) => all[name] / (steps * samples)),
    milliseconds: spread,
    examplesPerSecond: (1000 * batch) / spread.median,
  };
}

function countsSince(before: StepCounts, after: StepCounts): StepCounts {
  return mapCounts(after, (name) => after[name] - before[name]);
}

function mapCounts(counts: StepCounts, of: (name: keyof WebGpuCounters) => number): StepCounts {
  const names = Object.keys(counts) as (keyof WebGpuCounters)[];
  return Object.fromEntries(names.map((name) => [name, of(name)])) as unknown as StepCounts;
}
