/** Options of the hybrid layer, and how its parts are created from them. */
import type { Backend } from '@vastmax/linalg-core';
import { OutputLayerError, type TwoPhaseOutputLayer } from '@vastmax/output-layer';
import { createFullSoftmaxLayer, createTreeSoftmaxLayer, type FullSoftmaxOptions } from '@vastmax/softmax-losses';
import { createFactoredOutputLayer } from '@vastmax/spherical-losses';
import type { UpdateRule } from '@vastmax/update-rules';
import { checkFrequencies } from './check-frequencies.ts';
import { planTails, type TailOptions, type TailPlan } from './create-tails.ts';
import { chooseHybridSizes } from './head-size.ts';
import { HybridOutputLayer, type HybridParts, type HybridRanks } from './hybrid-output-layer.ts';
import type { HybridTail } from './hybrid-tail.ts';

/** Shape, head and tail of a hybrid layer. Only `features` and `frequencies` are required. */
export interface HybridOutputLayerOptions extends TailOptions {
  /** Width of the hidden activations, without the bias feature. */
  readonly features: number;
  /** How often each of the D classes occurs, in descending order: classes must be sorted by frequency. */
  readonly frequencies: ArrayLike<number>;
  /** F, the number of classes in the head; default: chosen by cost, {@link chooseHybridSizes}. */
  readonly headSize?: number;
  /**
   * First classes of further tails, ascending. They split the classes after the head into several tails; each tail has
   * one logit in the head and its own layer. Default: none, a single tail.
   */
  readonly tailCutoffs?: readonly number[];
  /** Factor on the learning rate of a step for the head; default 2. */
  readonly headRate?: number;
  /** Factor on the learning rate of a step for the tails; default 6 for trees, 15 for spherical tails. */
  readonly tailRate?: number;
  /** Update rule of the head's weights; default plain SGD. */
  readonly headRule?: UpdateRule;
  /** Standard deviation of the initial weights, which are normally distributed, in all parts; default 0.01. */
  readonly initialScale?: number;
  /** Seed of the initial weights; default 1. */
  readonly seed?: number;
  /** What learning rates and the hidden gradient refer to: the minibatch's mean loss (the default) or its sum. */
  readonly reduction?: 'mean' | 'sum';
}

/**
 * Creates the layer. Initial values: the head's biases and those of a tree are the logs of the unigram counts, the
 * outputs of a spherical tail √ε_c; training therefore starts from the prior. Memory: 4Dd bytes (8Dd on an f64 backend).
 * Cost: O(D·d), once, and O(D·d²) for a spherical tail.
 * @throws OutputLayerError `bad-option`, `non-finite`; LinalgError `out-of-memory`.
 */
export async function createHybridOutputLayer(
  backend: Backend,
  options: HybridOutputLayerOptions,
): Promise<HybridOutputLayer> {
  return createFromPlan(planHybridLayer(options), {
    head: (head) => createFullSoftmaxLayer(backend, head),
    tail: (tail) =>
      tail.kind === 'tree'
        ? createTreeSoftmaxLayer(backend, tail.options)
        : createFactoredOutputLayer(backend, tail.options),
  });
}

/** What the parts of a hybrid layer are created from. */
interface HybridPlan extends Pick<HybridParts, 'headRate' | 'tailRate' | 'reduction'> {
  readonly head: FullSoftmaxOptions;
  readonly tails: number;
  /** O(classes of the tail). */
  tail(t: number): TailPlan;
}

/** Creates the parts, and the layer of them; none is left behind when one cannot be created. */
export async function createFromPlan(
  plan: HybridPlan,
  create: {
    readonly head: (options: FullSoftmaxOptions) => Promise<TwoPhaseOutputLayer>;
    readonly tail: (tail: TailPlan) => Promise<HybridTail>;
    readonly ranks?: HybridRanks;
  },
): Promise<HybridOutputLayer> {
  const { headRate, tailRate, reduction } = plan;
  const head = await create.head(plan.head);
  const tails: HybridTail[] = [];
  try {
    for (let t = 0; t < plan.tails; t++) tails.push(await create.tail(plan.tail(t)));
    const ranks = create.ranks === undefined ? {} : { ranks: create.ranks };
    return new HybridOutputLayer({ head, tails, headRate, tailRate, reduction, ...ranks });
  } catch (error) {
    head[Symbol.dispose]();
    for (const tail of tails) tail[Symbol.dispose]();
    throw error;
  }
}

/** Checks the options. @throws OutputLayerError `bad-option`, `non-finite`. */
export function planHybridLayer(options: HybridOutputLayerOptions): HybridPlan {
  checkFrequencies(options.frequencies);
  const { features, frequencies, initialScale = 0.01, seed = 1, reduction = 'mean' } = options;
  const { headRate = 2, tailRate = options.tail === 'spherical' ? 15 : 6 } = options;
  const classes = frequencies.length;
  const { headSize, shortlist } = chooseHybridSizes(options);
  if (!Number.isSafeInteger(headSize) || headSize < 1 || headSize >= classes) {
    throw new OutputLayerError(
      'bad-option',
      `hybrid layer: headSize must be a whole number from 1 to ${classes - 1}, got ${headSize}`,
    );
  }
  for (const [name, value] of [
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
  const tail = planTails(options, { features, frequencies, starts, shortlist, initialScale, seed });
  const tails = starts.length - 1;
  const head = {
    classes: headSize + tails,
    features,
    initialBiases: headBiases(frequencies, starts),
    initialScale,
    seed,
    reduction,
    // A single block: its logits are then kept for the backward pass.
    blockClasses: headSize + tails,
    ...(options.headRule === undefined ? {} : { rule: options.headRule }),
  };
  return { head, tails, tail, headRate, tailRate, reduction };
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
