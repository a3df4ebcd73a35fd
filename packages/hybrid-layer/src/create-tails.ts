/** The options of the tails of a hybrid layer, from its own: trees, or exact factored layers. */
import { OutputLayerError } from '@vastmax/output-layer';
import type { TreeSoftmaxOptions } from '@vastmax/softmax-losses';
import { createInitialRows } from '@vastmax/softmax-losses/layer-parts';
import { sphericalSoftmax, type FactoredOutputLayerOptions, type SphericalLoss } from '@vastmax/spherical-losses';
import { checkLoss } from '@vastmax/spherical-losses/factored-parts';
import type { UpdateRule } from '@vastmax/update-rules';

/** Options of the tails. */
export interface TailOptions {
  /**
   * `tree`, the default: a k-ary tree of softmaxes over classes in order of frequency, which can concentrate its
   * probability on one class; the examples of the tail pay O(k·log_k D·d). `spherical`: an exact factored layer with a
   * spherical loss, whose step does not depend on D at all.
   */
  readonly tail?: 'tree' | 'spherical';
  /**
   * Tree: classes of the first tail that are children of the root, the most frequent ones. Default: chosen by cost,
   * {@link chooseHybridSizes}.
   */
  readonly shortlist?: number;
  /** Tree: children of a node below the root; default: chosen by cost, at most 64. */
  readonly fanOut?: number;
  /** Tree: levels below the root; default: the fewest with which fan-outs of at most 64 do. */
  readonly levels?: number;
  /** Tree: update rule of its weights; default plain SGD. */
  readonly tailRule?: UpdateRule;
  /** Spherical: the exponent p of the tail's prior ε_c ∝ frequency^p; default 0.75. */
  readonly priorPower?: number;
  /**
   * Spherical: the loss of a tail, created from its prior; it must be normalised. Default: the log-spherical softmax
   * with that prior.
   */
  readonly tailLoss?: (prior: Float64Array) => SphericalLoss;
}

interface TailSizes {
  readonly features: number;
  readonly frequencies: ArrayLike<number>;
  /** The first class of each tail, and D. */
  readonly starts: readonly number[];
  readonly shortlist: number;
  readonly initialScale: number;
  readonly seed: number;
}

/** What a tail is created from. */
export type TailPlan =
  | { readonly kind: 'tree'; readonly options: TreeSoftmaxOptions }
  | { readonly kind: 'spherical'; readonly options: FactoredOutputLayerOptions };

/** Checks the options. @returns a function of the number of a tail. @throws OutputLayerError `bad-option`. */
export function planTails(options: TailOptions, sizes: TailSizes): (t: number) => TailPlan {
  const { tail = 'tree' } = options;
  if (tail !== 'tree' && tail !== 'spherical') {
    throw new OutputLayerError('bad-option', `hybrid layer: tail must be 'tree' or 'spherical', got '${String(tail)}'`);
  }
  for (const [name, owner] of [
    ['shortlist', 'tree'],
    ['fanOut', 'tree'],
    ['levels', 'tree'],
    ['tailRule', 'tree'],
    ['priorPower', 'spherical'],
    ['tailLoss', 'spherical'],
  ] as const) {
    if (options[name] === undefined || tail === owner) continue;
    throw new OutputLayerError(
      'bad-option',
      `hybrid layer: ${name} is an option of a ${owner} tail, and the tail is ${tail}; leave it out or give tail: '${owner}'`,
    );
  }
  return tail === 'tree' ? planTrees(options, sizes) : planSpherical(options, sizes);
}

function planTrees(
  { fanOut, levels, tailRule }: TailOptions,
  { features, frequencies, starts, shortlist, initialScale, seed }: TailSizes,
): (t: number) => TailPlan {
  return (t) => {
    const [first, end] = [starts[t]!, starts[t + 1]!];
    const options = {
      classes: end - first,
      features,
      frequencies: Float64Array.from({ length: end - first }, (_, i) => frequencies[first + i]!),
      shortlist: t === 0 ? Math.min(shortlist, end - first) : 0,
      initialScale,
      seed: seed + 1 + t,
      reduction: 'sum',
      ...(fanOut === undefined ? {} : { fanOut }),
      ...(levels === undefined ? {} : { levels }),
      ...(tailRule === undefined ? {} : { rule: tailRule }),
    } as const;
    return { kind: 'tree', options };
  };
}

function planSpherical(
  { priorPower = 0.75, tailLoss = (epsilon) => sphericalSoftmax({ epsilon }) }: TailOptions,
  { features, frequencies, starts, initialScale, seed }: TailSizes,
): (t: number) => TailPlan {
  if (typeof tailLoss !== 'function') {
    throw new OutputLayerError(
      'bad-option',
      `hybrid layer: tailLoss must be a function of the prior that returns a loss, got ${String(tailLoss)}`,
    );
  }
  if (!Number.isFinite(priorPower) || priorPower < 0) {
    throw new OutputLayerError(
      'bad-option',
      `hybrid layer: priorPower must be a finite number of at least 0, got ${priorPower}`,
    );
  }
  const parts = starts.slice(0, -1).map((start, t) => {
    const prior = tailPrior(frequencies, start, starts[t + 1]!, priorPower);
    const unusable = prior.findIndex((value) => !(value > 0 && value < Infinity));
    if (unusable !== -1) {
      throw new OutputLayerError(
        'bad-option',
        `hybrid layer: with priorPower ${priorPower} the prior of class ${start + unusable} is ${prior[unusable]}, it must be a finite number above 0; give a lower priorPower`,
      );
    }
    return { prior, loss: tailLoss(prior) };
  });
  for (const { loss } of parts) {
    checkLoss('hybrid layer', loss);
    if (loss.isNormalized) continue;
    throw new OutputLayerError(
      'bad-option',
      `hybrid layer: the tail's loss ${loss.name} gives no probabilities; spherical-softmax and taylor-softmax do`,
    );
  }
  return (t) => {
    const { prior, loss } = parts[t]!;
    // Biases that give each class the output √ε_c.
    const start = { initialScale, seed: seed + 1 + t, initialBiases: prior.map(Math.sqrt) };
    const initialRows = createInitialRows(start, features, true);
    return {
      kind: 'spherical',
      options: { classes: prior.length, features, loss, reduction: 'sum', initialRows },
    };
  };
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
