/**
 * `bench softmax`: a training step of the full and of the adaptive softmax against the products in it, in the same
 * rounds and on the same minibatches. What a step takes beyond its products are the exponentials and passes over the
 * outputs.
 */
import type { Backend } from '@vastmax/linalg-core';
import { createOutputLayer } from '@vastmax/lm-models';
import { BenchError } from '../measurement/bench-error.ts';
import { type BackendChoice, type BackendInUse, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { pauseAfter } from '../measurement/ceilings.ts';
import { type TimedTask, timeInterleaved, timingOf } from '../measurement/interleaved-timing.ts';
import type { Spread } from '../measurement/statistics.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import { grouped } from '../reporting/numbers.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import { type Minibatch, MinibatchCycle } from '../workload/minibatches.ts';
import { zipfFrequencies } from '../workload/timed-layers.ts';
import { PartProducts, type PartSizes } from './part-products.ts';

export const softmaxLayerNames = ['full', 'adaptive'] as const;
export type SoftmaxLayerName = (typeof softmaxLayerNames)[number];

export interface SoftmaxOptions {
  readonly backend: BackendChoice;
  readonly threads: number;
  readonly classes: readonly number[];
  readonly features: number;
  readonly batch: number;
  readonly layers: readonly SoftmaxLayerName[];
  readonly rounds: number;
  readonly seconds: number;
}

interface SoftmaxRow {
  readonly layer: SoftmaxLayerName;
  readonly classes: number;
  readonly milliseconds: Spread;
  /** The products of the same minibatches, alone. */
  readonly productMs: Spread;
  /** Medians: the step over its products. */
  readonly overProducts: number;
  /** Of the adaptive softmax: the first class of each tail. */
  readonly cutoffs: readonly number[] | null;
}

export interface SoftmaxReport {
  readonly bench: 'softmax';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly options: { readonly features: number; readonly batch: number };
  readonly rows: readonly SoftmaxRow[];
}

const cycled = 16;
const learningRate = 0.1;
/** As in createAdaptiveSoftmaxLayer. */
const divValue = 4;

export async function measureSoftmax(options: SoftmaxOptions, show: ShowStage): Promise<SoftmaxReport> {
  const { backend, inUse } = await createBackend(await resolveBackend(options.backend), options.threads);
  try {
    const rows: SoftmaxRow[] = [];
    for (const classes of options.classes) {
      for (const layer of options.layers) {
        rows.push(
          await measureLayer(backend, inUse, layer, classes, options, (round) => {
            show(`${layer}, D = ${grouped(classes)}`, `round ${round} of ${options.rounds}`);
          }),
        );
      }
    }
    const { features, batch } = options;
    return { bench: 'softmax', machine: describeMachine(), backend: inUse, options: { features, batch }, rows };
  } finally {
    await backend.dispose();
  }
}

async function measureLayer(
  backend: Backend,
  inUse: BackendInUse,
  layer: SoftmaxLayerName,
  classes: number,
  { features, batch, rounds, seconds }: SoftmaxOptions,
  onRound: (round: number) => void,
): Promise<SoftmaxRow> {
  const pauseMs = pauseAfter(inUse);
  using batches = new MinibatchCycle(backend, { classes, features, batch, count: cycled, distribution: 'zipf' });
  using output = await createOutputLayer(
    backend,
    { features, frequencies: zipfFrequencies(classes) },
    { kind: layer, initialScale: 0.01, seed: 1 },
  );
  const { configuration, tensors } = output.state();
  const cutoffs = layer === 'adaptive' ? cutoffsOf(configuration['cutoffs']) : null;
  const widthOfTable =
    tensors.find(({ name }) => name === (cutoffs === null ? 'classes' : 'head'))?.columns ?? features;
  const sizes =
    cutoffs === null
      ? [{ rows: classes, width: widthOfTable, examples: [batch] }]
      : adaptiveSizes(batches.batches, [...cutoffs, classes], features, widthOfTable);
  using products = new PartProducts(backend, sizes);
  const step: TimedTask = {
    name: 'step',
    sampleMs: 10,
    pauseMs,
    run: async (times) => {
      for (let i = 0; i < times; i++) {
        const { hidden, targets } = batches.next();
        await output.step(hidden, targets, { learningRate });
      }
    },
  };
  const alone: TimedTask = {
    name: 'products',
    sampleMs: 10,
    pauseMs,
    run: async (times) => {
      for (let i = 0; i < times; i++) products.run();
      await backend.synchronize();
    },
  };
  const timings = await timeInterleaved([step, alone], { warmup: 3, rounds, seconds, onRound });
  const milliseconds = timingOf(timings, step.name);
  const productMs = timingOf(timings, alone.name);
  return { layer, classes, milliseconds, productMs, overProducts: milliseconds.median / productMs.median, cutoffs };
}

function cutoffsOf(value: unknown): readonly number[] {
  if (Array.isArray(value) && value.every((cutoff) => typeof cutoff === 'number')) return value;
  throw new BenchError('failed', 'the state of the adaptive softmax names no cutoffs');
}

/** The head has all examples, a tail those with a target in it; a projection is one more part, of the tail's width. */
function adaptiveSizes(
  batches: readonly Minibatch[],
  bounds: readonly number[],
  features: number,
  headWidth: number,
): PartSizes[] {
  const tails = bounds.slice(1).flatMap((end, tail): PartSizes[] => {
    const first = bounds[tail] ?? 0;
    const width = Math.max(1, Math.floor(features / divValue ** (tail + 1)));
    const examples = batches.map(({ classes }) => classes.filter((target) => target >= first && target < end).length);
    return [
      { rows: width, width: features, examples },
      { rows: end - first, width, examples },
    ];
  });
  const head = {
    rows: (bounds[0] ?? 0) + bounds.length - 1,
    width: headWidth,
    examples: batches.map(({ classes }) => classes.length),
  };
  return [head, ...tails];
}
