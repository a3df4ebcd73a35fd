/**
 * A long run in one precision, too long for a dense reference: it measures how far the tracked C, w̄ and U⁻¹ drift from
 * the weights. Targets are correlated with the activations, as in a network that learns something: each class has a
 * direction, and an example is its class's direction plus noise, so that Q is far from a multiple of the identity.
 */
import { createPlainBackend, read, write, type Backend, type Precision } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator, type CsrRows } from '@vastmax/sparse-data';
import { createFactoredOutputLayer } from '../factored/factored-output-layer.ts';
import type { FactoredLayerCounters } from '../factored/layer-options.ts';
import type { Verification } from '../factored/gram-matrix.ts';
import type { ReferenceLoss } from './dense-reference.ts';
import { factoredLoss } from './exactness-run.ts';

/** Loss, number of steps, rate and sizes of a long run. */
export interface LongRunOptions {
  readonly loss: ReferenceLoss;
  readonly steps: number;
  readonly learningRate: number;
  readonly initialScale: number;
  readonly precision?: Precision;
  readonly backend?: Backend;
  readonly classes?: number;
  readonly width?: number;
  readonly batch?: number;
  readonly seed?: number;
  /** Called a hundred times in all. */
  readonly onProgress?: (step: number) => void;
}

/** The loss at the beginning and at the end, and how far the state has drifted. */
export interface LongRunResult {
  /** Mean loss of the first and of the last hundredth of the steps. */
  readonly firstLoss: number;
  readonly lastLoss: number;
  readonly verification: Verification;
  readonly counters: FactoredLayerCounters;
}

/** The largest of the drifts that `verify()` reports. */
export function largestDrift({ gramDrift, columnSumDrift, inverseDrift }: Verification): number {
  return Math.max(gramDrift, columnSumDrift, inverseDrift);
}

const settings: readonly Pick<LongRunOptions, 'loss' | 'learningRate' | 'initialScale'>[] = [
  { loss: { name: 'z-loss', a: 0.1, b: 10 }, learningRate: 0.05, initialScale: 0.1 },
  { loss: { name: 'spherical-softmax', epsilon: 1 }, learningRate: 0.05, initialScale: 0.1 },
  { loss: { name: 'taylor-softmax' }, learningRate: 0.05, initialScale: 0.1 },
  { loss: { name: 'squared-error', targetValue: 1 }, learningRate: 0.05, initialScale: 0.01 },
  { loss: { name: 'implicit', unobservedWeight: 0.01 }, learningRate: 0.05, initialScale: 0.01 },
  { loss: { name: 'rgx', pull: 0.02, interaction: 0.01 }, learningRate: 0.05, initialScale: 0.01 },
];

/** The losses, RG² as a case of RG×, at d = 16, D = 2,000, m = 8 in f32. */
export function longRuns(steps: number): readonly LongRunOptions[] {
  return settings.map((each) => ({ ...each, steps }));
}

/** Trains a factored layer for many steps on a small task, and verifies its state at the end. */
export async function runLong(options: LongRunOptions): Promise<LongRunResult> {
  const {
    loss,
    steps,
    learningRate,
    initialScale,
    classes = 2000,
    width = 16,
    batch = 8,
    seed = 1,
    onProgress,
  } = options;
  const backend = options.backend ?? createPlainBackend({ precision: options.precision ?? 'f32' });
  using layer = await createFactoredOutputLayer(backend, {
    classes,
    features: width,
    bias: false,
    loss: factoredLoss(loss),
    initialScale,
    seed,
  });
  using hidden = backend.createMatrix(batch, width);
  const nextBatch = createCorrelatedBatches(classes, width, batch, seed);
  const hundredth = Math.max(1, Math.floor(steps / 100));
  let firstLoss = 0;
  let lastLoss = 0;
  for (let step = 0; step < steps; step++) {
    const minibatch = nextBatch();
    write(minibatch.hidden, hidden);
    const { losses } = await layer.step(hidden, minibatch.targets, { learningRate });
    if (step < hundredth || step >= steps - hundredth) {
      const mean = Float64Array.from(await read(losses)).reduce((sum, value) => sum + value, 0) / batch / hundredth;
      if (step < hundredth) firstLoss += mean;
      else lastLoss += mean;
    }
    if (step % hundredth === 0) onProgress?.(step);
  }
  return { firstLoss, lastLoss, verification: await layer.verify(), counters: layer.counters };
}

function createCorrelatedBatches(
  classes: number,
  width: number,
  batch: number,
  seed: number,
): () => { hidden: Float64Array; targets: CsrRows } {
  const random = new RandomGenerator(seed + 2000);
  const directions = Float64Array.from({ length: classes * width }, () => 0.7 * random.normal());
  const hidden = new Float64Array(batch * width);
  return () => {
    const lists: number[][] = [];
    for (let example = 0; example < batch; example++) {
      const target = Math.min(classes - 1, Math.floor(Math.exp(random.uniform() * Math.log(classes + 1))) - 1);
      lists.push([target]);
      for (let i = 0; i < width; i++)
        hidden[example * width + i] = directions[target * width + i]! + 0.5 * random.normal();
    }
    return { hidden, targets: csrFromLists(lists, classes) };
  };
}
