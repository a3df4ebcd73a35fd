/**
 * Rankings of networks whose examples have several correct classes: classifiers, recommenders, set completion. Metrics
 * are collected one example at a time, so that only sums are held in memory.
 */
import { read } from '@vastmax/linalg-core';
import { columnsByFrequency, type CancellationSignal, type CsrRows } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';
import type { EvaluatedNetwork } from '../network/network.ts';
import { topClasses } from '../prediction/top-classes.ts';
import type { EvaluationBatches, TrainingBatch } from '../training/training-types.ts';

/** The metrics at each k, over the examples that have a label. */
export interface MultiLabelMetrics {
  /** Examples with at least one correct class; the others have no ranking to measure. */
  readonly examples: number;
  /** Examples without a correct class, which are left out. */
  readonly unlabelled: number;
  /** Metrics for every requested k; NaN without examples. */
  readonly atK: readonly MultiLabelMetricsAtK[];
}

/** The metrics of the k best classes, as means over the examples. */
export interface MultiLabelMetricsAtK {
  readonly k: number;
  /** Fraction of the k best that are correct, mean over examples. */
  readonly precision: number;
  /** Fraction of the correct classes that are among the k best, mean over examples. */
  readonly recall: number;
  /**
   * Discounted gain Σ 1/log₂(1 + place) of the correct classes, divided by that of the best possible ranking, mean over
   * examples.
   */
  readonly ndcg: number;
  /** Fraction of examples with a correct class among the k best. */
  readonly hitRate: number;
  /** 1/place of the first correct class, 0 where none is among the k best, mean over examples. */
  readonly reciprocalRank: number;
  /**
   * Sum of the precision at each place with a correct class among the k best, divided by the number of correct classes
   * or by k where that is less, mean over examples: MAP.
   */
  readonly averagePrecision: number;
  /**
   * Precision with weight 1/p_l for each correct class, divided by the maximum that any ranking could reach (Jain et
   * al., KDD 2016); undefined without propensities.
   */
  readonly propensityScoredPrecision: number | undefined;
}

interface SumsAtK {
  readonly k: number;
  precision: number;
  recall: number;
  ndcg: number;
  hits: number;
  reciprocalRank: number;
  averagePrecision: number;
  gain: number;
  possibleGain: number;
}

/** The numbers k at which metrics are computed, and the propensities of the classes. */
export interface MultiLabelOptions {
  /** Ascending. */
  readonly ks: readonly number[];
  /** p_l of each class; see {@link computePropensities}. */
  readonly propensities?: ArrayLike<number>;
}

/** Collects the metrics of rankings with several right classes, batch by batch. */
export class MultiLabelCollector {
  /** The largest k: how many classes `add` needs. */
  readonly depth: number;
  readonly #sums: readonly SumsAtK[];
  readonly #propensities: ArrayLike<number> | undefined;
  #examples = 0;
  #unlabelled = 0;

  /** @throws ModelError `bad-option` when the ks do not ascend from 1 on. */
  constructor({ ks, propensities }: MultiLabelOptions) {
    const ascends = ks.length > 0 && ks.every((k, i) => Number.isSafeInteger(k) && k > (ks[i - 1] ?? 0));
    if (!ascends)
      throw new ModelError(
        'bad-option',
        `multi-label metrics: ks must be whole numbers that ascend from 1 on, got [${ks.join(', ')}]`,
      );
    this.depth = ks[ks.length - 1]!;
    this.#propensities = propensities;
    this.#sums = ks.map((k) => ({
      k,
      precision: 0,
      recall: 0,
      ndcg: 0,
      hits: 0,
      reciprocalRank: 0,
      averagePrecision: 0,
      gain: 0,
      possibleGain: 0,
    }));
  }

  /**
   * @param ranked the best classes, best first, `depth` of them or fewer where there are no more.
   * @param right the correct classes, without repetitions. O(depth + right · log right).
   */
  add(ranked: ArrayLike<number>, right: ArrayLike<number>): void {
    if (right.length === 0) {
      this.#unlabelled++;
      return;
    }
    this.#examples++;
    const isRight = new Set<number>();
    for (let i = 0; i < right.length; i++) isRight.add(right[i]!);
    const weights = this.#weightsOf(right);
    let hits = 0;
    let dcg = 0;
    let ideal = 0;
    let reciprocalRank = 0;
    let precisions = 0;
    let gain = 0;
    let possibleGain = 0;
    let place = 0;
    for (const sums of this.#sums) {
      for (; place < sums.k; place++) {
        const discount = 1 / Math.log2(place + 2);
        if (place < right.length) {
          ideal += discount;
          possibleGain += weights?.[place] ?? 0;
        }
        if (place < ranked.length && isRight.has(ranked[place]!)) {
          hits++;
          dcg += discount;
          if (hits === 1) reciprocalRank = 1 / (place + 1);
          precisions += hits / (place + 1);
          if (this.#propensities !== undefined) gain += 1 / this.#propensities[ranked[place]!]!;
        }
      }
      sums.precision += hits / sums.k;
      sums.recall += hits / right.length;
      sums.ndcg += dcg / ideal;
      sums.hits += hits > 0 ? 1 : 0;
      sums.reciprocalRank += reciprocalRank;
      sums.averagePrecision += precisions / Math.min(sums.k, right.length);
      sums.gain += gain / sums.k;
      sums.possibleGain += possibleGain / sums.k;
    }
  }

  metrics(): MultiLabelMetrics {
    const examples = this.#examples;
    return {
      examples,
      unlabelled: this.#unlabelled,
      atK: this.#sums.map((sums) => ({
        k: sums.k,
        precision: sums.precision / examples,
        recall: sums.recall / examples,
        ndcg: sums.ndcg / examples,
        hitRate: sums.hits / examples,
        reciprocalRank: sums.reciprocalRank / examples,
        averagePrecision: sums.averagePrecision / examples,
        propensityScoredPrecision: this.#propensities === undefined ? undefined : sums.gain / sums.possibleGain,
      })),
    };
  }

  /** 1/p of the correct classes, largest first. */
  #weightsOf(right: ArrayLike<number>): Float64Array | undefined {
    const propensities = this.#propensities;
    if (propensities === undefined) return undefined;
    return Float64Array.from(right, (label) => 1 / propensities[label]!)
      .sort()
      .reverse();
  }
}

/** How much is evaluated, and who is told. */
export interface EvaluationSpan {
  /** Stop after this many examples; all of an epoch unless given. */
  readonly limit?: number;
  readonly signal?: CancellationSignal;
  readonly onProgress?: (examples: number, total: number) => void;
}

/** As {@link MultiLabelOptions}, the span of examples, and classes to leave out for each batch. */
export interface MultiLabelEvaluationOptions<Batch> extends MultiLabelOptions, EvaluationSpan {
  /**
   * Classes that must not be predicted for an example, such as `({ inputs }) => inputs` where inputs and classes are
   * the same items.
   */
  readonly exclude?: (batch: Batch) => CsrRows;
}

/** The metrics, and the mean loss where it was asked for. */
export interface MultiLabelReport extends MultiLabelMetrics {
  /** Mean loss; undefined for a baseline without one. */
  readonly loss: number | undefined;
}

/**
 * One epoch of `batches`, or its first `limit` examples. O(examples·D·d), streamed in blocks of classes.
 * @throws OutputLayerError `busy` beside another call on the network.
 */
export function evaluateMultiLabel<Batch extends TrainingBatch>(
  network: EvaluatedNetwork<NoInfer<Batch>>,
  batches: EvaluationBatches<Batch>,
  options: MultiLabelEvaluationOptions<NoInfer<Batch>>,
): Promise<MultiLabelReport> {
  return network.exclusively('evaluateMultiLabel', () => evaluateAll(network, batches, options));
}

async function evaluateAll<Batch extends TrainingBatch>(
  network: EvaluatedNetwork<NoInfer<Batch>>,
  batches: EvaluationBatches<Batch>,
  options: MultiLabelEvaluationOptions<NoInfer<Batch>>,
): Promise<MultiLabelReport> {
  const { output } = network;
  const collector = new MultiLabelCollector(options);
  const depth = Math.min(collector.depth, output.classes);
  let lossSum = 0;
  let counted = 0;
  await eachBatch(batches, options, async (batch, count) => {
    const hidden = network.computeHidden(batch);
    const losses = await read(await output.evaluate(hidden, batch.targets));
    const exclude = options.exclude?.(batch);
    const { classes } = await topClasses(output, hidden, depth, {
      ...(exclude === undefined ? {} : { exclude }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    for (let example = 0; example < count; example++) {
      lossSum += losses[example]!;
      collector.add(classes.subarray(example * depth, (example + 1) * depth), rightClasses(batch.targets, example));
    }
    counted += count;
  });
  return { ...collector.metrics(), loss: lossSum / Math.max(1, counted) };
}

/**
 * As `evaluateMultiLabel`, for a model that always predicts the most frequent classes: the baseline that a model must
 * exceed. O(D + n log n + examples · (k + excluded)) for n classes that occur.
 * @param frequencies how often each class occurred in training.
 */
export async function popularityBaseline<Batch extends TrainingBatch>(
  frequencies: ArrayLike<number>,
  batches: EvaluationBatches<Batch>,
  options: MultiLabelEvaluationOptions<NoInfer<Batch>>,
): Promise<MultiLabelReport> {
  const order = columnsByFrequency(frequencies);
  const collector = new MultiLabelCollector(options);
  await eachBatch(batches, options, (batch, count) => {
    const exclude = options.exclude?.(batch);
    for (let example = 0; example < count; example++) {
      const left = new Set(exclude === undefined ? [] : rightClasses(exclude, example));
      const best: number[] = [];
      for (let place = 0; place < order.length && best.length < collector.depth; place++) {
        if (!left.has(order[place]!)) best.push(order[place]!);
      }
      collector.add(best, rightClasses(batch.targets, example));
    }
    return Promise.resolve();
  });
  return { ...collector.metrics(), loss: undefined };
}

/** Calls `visit` for each minibatch of an epoch, with how many of its examples count. */
export async function eachBatch<Batch extends TrainingBatch>(
  batches: EvaluationBatches<Batch>,
  { limit = Infinity, signal, onProgress }: EvaluationSpan,
  visit: (batch: Batch, count: number) => Promise<void>,
): Promise<void> {
  const total = Math.min(limit, batches.examplesPerEpoch);
  for (let examples = 0; examples < total;) {
    signal?.throwIfAborted();
    const batch = await batches.next();
    const count = Math.min(batch.size, total - examples);
    await visit(batch, count);
    examples += count;
    onProgress?.(examples, total);
  }
}

/** The distinct classes of a row. */
export function rightClasses({ offsets, indices }: CsrRows, row: number): number[] {
  return [...new Set(indices.subarray(offsets[row]!, offsets[row + 1]!))];
}

/** The constants A and B of Jain et al. 2016 (0.55 and 1.5 unless given). */
export interface PropensityOptions {
  /** 0.55 unless given; Jain et al. take 0.5 for Wikipedia and 0.6 for Amazon. */
  readonly a?: number;
  /** 1.5 unless given; 0.4 for Wikipedia, 2.6 for Amazon. */
  readonly b?: number;
}

/**
 * The probability that a correct class has been labelled as such, as a function of its number of labels:
 * p_l = 1 / (1 + C·e^(−a·ln(N_l + b))), C = (ln N − 1)(b + 1)^a (H. Jain, Y. Prabhu, M. Varma, KDD 2016, §4). O(D).
 * @param labelCounts N_l, in how many training examples each class occurs.
 * @param examples N.
 * @throws ModelError `bad-option` for fewer than three examples, where C is not positive.
 */
export function computePropensities(
  labelCounts: ArrayLike<number>,
  examples: number,
  options: PropensityOptions = {},
): Float64Array {
  const { a = 0.55, b = 1.5 } = options;
  if (!(examples >= 3)) throw new ModelError('bad-option', `propensities: ${examples} examples; at least 3 are needed`);
  if (!(a > 0) || !(b >= 0))
    throw new ModelError('bad-option', `propensities: a must be above 0 and b at least 0, got ${a} and ${b}`);
  const c = (Math.log(examples) - 1) * (b + 1) ** a;
  return Float64Array.from(labelCounts, (count) => 1 / (1 + c * Math.exp(-a * Math.log(count + b))));
}
