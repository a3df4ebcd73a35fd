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
import type { UpdateRule } from '@vastmax/update-rules';
import { chooseHeadSize } from './head-size.ts';
import { HybridOutputLayer } from './hybrid-output-layer.ts';
import { headBiases, tailPrior } from './tail-prior.ts';

export interface HybridOutputLayerOptions {
  /** Width of the hidden activations, without the bias feature. */
  readonly features: number;
  /** How often each of the D classes occurs, not rising: classes are sorted by frequency. */
  readonly frequencies: ArrayLike<number>;
  /** F, the classes of the head; chosen by cost ({@link chooseHeadSize}) unless given. */
  readonly headSize?: number;
  /**
   * Where further tails begin, ascending, within the tail: each has a logit in the head and a factored layer of its
   * own. None unless given.
   */
  readonly tailCutoffs?: readonly number[];
  /** p of ε_c ∝ frequency^p, the tail's prior; 0.75 unless given. */
  readonly priorPower?: number;
  /** Of a tail's classes; the log-spherical softmax with the prior unless given. It must be normalised. */
  readonly tailLoss?: (prior: Float64Array) => SphericalLoss;
  /** What the learning rate of a step is multiplied by for the head; 2 unless given. */
  readonly headRate?: number;
  /** … and for the tail; 15 unless given. */
  readonly tailRate?: number;
  /** Update rule of the head's weights; plain SGD, which the tail's exact update is, unless given. */
  readonly headRule?: UpdateRule;
  /** Standard deviation of the normal start of both layers' weights; 0.01 unless given. */
  readonly initialScale?: number;
  /** Seed of that start; 1 unless given. */
  readonly seed?: number;
  /** What learning rates and the hidden gradient refer to: the minibatch's mean loss (the default) or its sum. */
  readonly reduction?: 'mean' | 'sum';
}

/**
 * Create the layer. The head's biases start at the log of the unigram probabilities, the tail's outputs at √ε_c, so
 * that training starts from the prior. Memory: 4Dd bytes (8Dd on an f64 backend). O(D·d²), once.
 * @throws OutputLayerError `bad-option`, `non-finite`; LinalgError `out-of-memory`.
 */
export async function createHybridOutputLayer(
  backend: Backend,
  options: HybridOutputLayerOptions,
): Promise<HybridOutputLayer> {
  checkFrequencies(options.frequencies);
  const { features, frequencies, initialScale = 0.01, seed = 1, reduction = 'mean', priorPower = 0.75 } = options;
  const { headRate = 2, tailRate = 15, tailLoss = (epsilon) => sphericalSoftmax({ epsilon }) } = options;
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
  const bands = starts.slice(0, -1).map((start, i) => {
    const prior = tailPrior(frequencies, start, starts[i + 1]!, priorPower);
    return { prior, loss: tailLoss(prior) };
  });
  for (const { loss } of bands) {
    if (!loss.isNormalized) {
      throw new OutputLayerError(
        'bad-option',
        `hybrid layer: the tail's loss ${loss.name} gives no probabilities; spherical-softmax and taylor-softmax do`,
      );
    }
  }
  const head = await createFullSoftmaxLayer(backend, {
    classes: headSize + bands.length,
    features,
    initialBiases: headBiases(frequencies, starts),
    initialScale,
    seed,
    reduction,
    // One block: its logits are then kept for the backward pass.
    blockClasses: headSize + bands.length,
    ...(options.headRule === undefined ? {} : { rule: options.headRule }),
  });
  const tails: FactoredOutputLayer[] = [];
  try {
    for (const [t, { prior, loss }] of bands.entries()) {
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

/** Normal weights, and biases that give each class the output √ε_c. */
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

function checkFrequencies(frequencies: ArrayLike<number>): void {
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
