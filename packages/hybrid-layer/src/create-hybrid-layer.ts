/** Options of the hybrid layer, and how its parts are created from them. */
import type { Backend } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import { createFullSoftmaxLayer } from '@vastmax/softmax-losses';
import { RandomGenerator } from '@vastmax/sparse-data';
import {
  createFactoredOutputLayer,
  sphericalSoftmax,
  type FactoredOutputLayer,
  type SphericalLoss,
} from '@vastmax/spherical-losses';
import { checkLoss } from '@vastmax/spherical-losses/factored-parts';
import type { UpdateRule } from '@vastmax/update-rules';
import { HybridOutputLayer } from './hybrid-output-layer.ts';

export interface HybridOutputLayerOptions {
  /** Width of the hidden activations, without the bias feature. */
  readonly features: number;
  /** How often each of the D classes occurs, in descending order: classes must be sorted by frequency. */
  readonly frequencies: ArrayLike<number>;
  /** F, the number of classes in the head; default: chosen by cost, {@link chooseHeadSize}. */
  readonly headSize?: number;
  /**
   * First classes of further tails, ascending. They split the classes after the head into several tails; each tail has
   * one logit in the head and its own factored layer. Default: none, a single tail.
   */
  readonly tailCutoffs?: readonly number[];
  /** The exponent p of the tail's prior ε_c ∝ frequency^p; default 0.75. */
  readonly priorPower?: number;
  /**
   * The loss of a tail, created from its prior; it must be normalised. Default: the log-spherical softmax with that
   * prior.
   */
  readonly tailLoss?: (prior: Float64Array) => SphericalLoss;
  /** Factor on the learning rate of a step for the head; default 2. */
  readonly headRate?: number;
  /** Factor on the learning rate of a step for the tails; default 15. */
  readonly tailRate?: number;
  /** Update rule of the head's weights; default plain SGD, which is also the tail's update. */
  readonly headRule?: UpdateRule;
  /** Standard deviation of the initial weights, which are normally distributed, in all parts; default 0.01. */
  readonly initialScale?: number;
  /** Seed of the initial weights; default 1. */
  readonly seed?: number;
  /** What learning rates and the hidden gradient refer to: the minibatch's mean loss (the default) or its sum. */
  readonly reduction?: 'mean' | 'sum';
}

/**
 * Creates the layer. Initial values: the head's biases are the logs of the unigram probabilities, the tail's outputs
 * are √ε_c; training therefore starts from the prior. Memory: 4Dd bytes (8Dd on an f64 backend). Cost: O(D·d²), once.
 * @throws OutputLayerError `bad-option`, `non-finite`; LinalgError `out-of-memory`.
 */
export async function createHybridOutputLayer(
  backend: Backend,
  options: HybridOutputLayerOptions,
): Promise<HybridOutputLayer> {
  checkFrequencies(options.frequencies);
  const { features, frequencies, initialScale = 0.01, seed = 1, reduction = 'mean', priorPower = 0.75 } = options;
  const { headRate = 2, tailRate = 15, tailLoss = (epsilon) => sphericalSoftmax({ epsilon }) } = options;
  if (typeof tailLoss !== 'function')
    throw new OutputLayerError(
      'bad-option',
      `hybrid layer: tailLoss must be a function of the prior that returns a loss, got ${String(tailLoss)}`,
    );
  const classes = frequencies.length;
  const { headSize = chooseHeadSize({ frequencies, features }) } = options;
  if (!Number.isSafeInteger(headSize) || headSize < 1 || headSize >= classes) {
    throw new OutputLayerError(
      'bad-option',
      `hybrid layer: headSize must be a whole number from 1 to ${classes - 1}, got ${headSize}`,
    );
  }
  for (const [name, value] of [
    ['priorPower', priorPower],
    ['headRate', headRate],
    ['tailRate', tailRate],
  ] as const) {
    if (!Number.isFinite(value) || value < 0) {
      throw new OutputLayerError(
        'bad-option',
        `hybrid layer: ${name} must be a finite number of at least 0, got ${value}`,
      );
    }
  }
  const starts = [headSize, ...(options.tailCutoffs ?? []), classes];
  if (!starts.every((start, i) => Number.isSafeInteger(start) && start > (starts[i - 1] ?? 0))) {
    throw new OutputLayerError(
      'bad-option',
      `hybrid layer: tailCutoffs must ascend from ${headSize + 1} to ${classes - 1}, got [${(options.tailCutoffs ?? []).join(', ')}]`,
    );
  }
  const tailParts = starts.slice(0, -1).map((start, i) => {
    const prior = tailPrior(frequencies, start, starts[i + 1]!, priorPower);
    const unusable = prior.findIndex((value) => !(value > 0 && value < Infinity));
    if (unusable !== -1) {
      throw new OutputLayerError(
        'bad-option',
        `hybrid layer: with priorPower ${priorPower} the prior of class ${start + unusable} is ${prior[unusable]}, it must be a finite number above 0; give a lower priorPower`,
      );
    }
    return { prior, loss: tailLoss(prior) };
  });
  for (const { loss } of tailParts) {
    checkLoss('hybrid layer', loss);
    if (!loss.isNormalized) {
      throw new OutputLayerError(
        'bad-option',
        `hybrid layer: the tail's loss ${loss.name} gives no probabilities; spherical-softmax and taylor-softmax do`,
      );
    }
  }
  const head = await createFullSoftmaxLayer(backend, {
    classes: headSize + tailParts.length,
    features,
    initialBiases: headBiases(frequencies, starts),
    initialScale,
    seed,
    reduction,
    // A single block: its logits are then kept for the backward pass.
    blockClasses: headSize + tailParts.length,
    ...(options.headRule === undefined ? {} : { rule: options.headRule }),
  });
  const tails: FactoredOutputLayer[] = [];
  try {
    for (const [t, { prior, loss }] of tailParts.entries()) {
      tails.push(
        await createFactoredOutputLayer(backend, {
          classes: prior.length,
          features,
          loss,
          reduction: 'sum',
          initialRows: rowsAtPrior(features, initialScale, seed + 1 + t, prior),
        }),
      );
    }
    return new HybridOutputLayer({ head, tails, headRate, tailRate, reduction });
  } catch (error) {
    head[Symbol.dispose]();
    for (const tail of tails) tail[Symbol.dispose]();
    throw error;
  }
}

/** Initial rows of a tail: normally distributed weights, and biases that give each class the output √ε_c. */
function rowsAtPrior(
  features: number,
  scale: number,
  seed: number,
  prior: Float64Array,
): (first: number, count: number) => Float64Array {
  const random = new RandomGenerator(seed);
  return (first, count) => {
    const rows = new Float64Array(count * (features + 1));
    for (let row = 0, i = 0; row < count; row++) {
      for (let feature = 0; feature < features; feature++) rows[i++] = scale * random.normal();
      rows[i++] = Math.sqrt(prior[first + row]!);
    }
    return rows;
  };
}

function checkFrequencies(given: ArrayLike<number> | undefined): asserts given is ArrayLike<number> {
  const frequencies: ArrayLike<number> = typeof given === 'object' && Number.isSafeInteger(given.length) ? given : [];
  if (frequencies !== given) {
    throw new OutputLayerError(
      'bad-option',
      `hybrid layer: frequencies must be an array of how often each class occurs, in descending order, got ${String(given)}`,
    );
  }
  if (frequencies.length < 2) {
    throw new OutputLayerError(
      'bad-option',
      `hybrid layer: ${frequencies.length} frequencies; at least two classes are needed, one for the head and one for the tail`,
    );
  }
  for (let i = 0; i < frequencies.length; i++) {
    const value = frequencies[i]!;
    if (!Number.isFinite(value) || value < 0) {
      throw new OutputLayerError(
        'non-finite',
        `hybrid layer: the frequency of class ${i} is ${value}, it must be a finite number of at least 0`,
      );
    }
    if (i > 0 && value > frequencies[i - 1]!) {
      throw new OutputLayerError(
        'bad-option',
        `hybrid layer: frequencies rise from ${frequencies[i - 1]} at class ${i - 1} to ${value} at class ${i}; number the classes by falling frequency`,
      );
    }
  }
}

/** What {@link chooseHeadSize} decides by. */
export interface HeadSizeInputs {
  /** How often each class occurs, in descending order. */
  readonly frequencies: ArrayLike<number>;
  /** d. */
  readonly features: number;
  /** m; default 128. */
  readonly batch?: number;
}

const maxHeadCostRatio = 4;
const headOccurrenceShare = 0.99;

/**
 * F, the number of classes in the head, from 1 to D − 1. O(D).
 *
 * Quality grows with the head (docs/experiments.md has the figures), so the head is as large as its cost allows: its
 * dense softmax, 6(F + 1)d operations per example, may cost four times as much as the factored layer, 14d² + 8md. That
 * gives 1,877 classes for d = 128. The head never holds more classes than are needed for 99 % of the occurrences:
 * further classes are hardly ever targets, and a class that never occurs has nothing to learn in the head.
 */
export function chooseHeadSize({ frequencies, features, batch = 128 }: HeadSizeInputs): number {
  const classes = frequencies.length;
  const byCost = Math.floor((maxHeadCostRatio * (14 * features + 8 * Math.min(batch, features))) / 6);
  let total = 0;
  for (let i = 0; i < classes; i++) total += frequencies[i]!;
  let covered = 0;
  let byShare = 0;
  while (byShare < classes && frequencies[byShare]! > 0 && covered < headOccurrenceShare * total)
    covered += frequencies[byShare++]!;
  return Math.max(1, Math.min(byCost, byShare, classes - 1));
}

/**
 * The prior of the T classes of a tail: ε_c = T·π_c^p / Σ π^p, which is 1 on average. A class that never occurred
 * counts as half an occurrence.
 */
export function tailPrior(frequencies: ArrayLike<number>, start: number, end: number, power: number): Float64Array {
  const prior = new Float64Array(end - start);
  let sum = 0;
  for (let i = 0; i < prior.length; i++) sum += prior[i] = Math.max(0.5, frequencies[start + i]!) ** power;
  for (let i = 0; i < prior.length; i++) prior[i] = (prior[i]! * prior.length) / sum;
  return prior;
}

/**
 * The initial biases of the head: the log of the unigram probability of each head class and of each tail as a whole.
 * @param starts the first class of each tail, and D.
 */
function headBiases(frequencies: ArrayLike<number>, starts: readonly number[]): Float64Array {
  const headSize = starts[0]!;
  const counts = new Float64Array(headSize + starts.length - 1);
  let total = 0;
  for (let i = 0, tail = -1; i < frequencies.length; i++) {
    if (i === starts[tail + 1]) tail++;
    const count = Math.max(0.5, frequencies[i]!);
    counts[tail < 0 ? i : headSize + tail]! += count;
    total += count;
  }
  return counts.map((count) => Math.log(count / total));
}
