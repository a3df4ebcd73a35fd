/**
 * Metrics from the ranks of the targets: top-k accuracy and mean reciprocal rank, exact over all D classes, and
 * perplexity where it is defined.
 */
import { read } from '@vastmax/linalg-core';
import { ranksOf } from '@vastmax/output-layer';
import type { CancellationSignal, Vocabulary } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';
import type { EvaluatedNetwork } from '../network/network.ts';
import type { EvaluationBatches, TrainingBatch } from '../training/training-types.ts';

/** The k of the top-k accuracies reported. */
export const reportedTops = [1, 5, 10, 50, 100] as const;

/** How high the right class ranks, as means over the examples. */
export interface RankingMetrics {
  readonly examples: number;
  /** Fraction of examples whose target is among the k best, for each of reportedTops. */
  readonly topAccuracy: Readonly<Record<(typeof reportedTops)[number], number>>;
  readonly meanReciprocalRank: number;
  /** Mean loss; undefined for a baseline without one. */
  readonly loss: number | undefined;
  /** exp of the mean loss, where that is −log p of a distribution over the classes. */
  readonly perplexity: number | undefined;
}

/** Collects ranks (1 is best) as they come. */
export class RankCollector {
  #examples = 0;
  #reciprocals = 0;
  readonly #hits = reportedTops.map(() => 0);

  add(rank: number): void {
    this.#examples++;
    this.#reciprocals += 1 / rank;
    for (const [place, top] of reportedTops.entries()) if (rank <= top) this.#hits[place]!++;
  }

  metrics(lossSum: number | undefined, isNormalized: boolean): RankingMetrics {
    const examples = Math.max(1, this.#examples);
    const loss = lossSum === undefined ? undefined : lossSum / examples;
    const topAccuracy = Object.fromEntries(
      reportedTops.map((top, place) => [top, this.#hits[place]! / examples]),
    ) as RankingMetrics['topAccuracy'];
    return {
      examples: this.#examples,
      topAccuracy,
      meanReciprocalRank: this.#reciprocals / examples,
      loss,
      perplexity: loss !== undefined && isNormalized ? Math.exp(loss) : undefined,
    };
  }
}

/** Metrics of the examples whose target is one of the classes firstClass … lastClass, both included. */
export interface BandMetrics extends RankingMetrics {
  readonly firstClass: number;
  readonly lastClass: number;
}

/** The metrics over all examples, and those of each band of frequency. */
export interface RankingReport extends RankingMetrics {
  /** Metrics by the target's class, in the bands of EvaluationOptions.bands. */
  readonly bands: readonly BandMetrics[];
}

/** How many examples, and bands of frequency to report apart. */
export interface EvaluationOptions {
  /** Stop after this many examples; all of an epoch unless given. */
  readonly limit?: number;
  /**
   * The first class of each further band of classes, ascending: [2000, 10000] reports the classes below 2,000, the next
   * 8,000 and the rest separately. Vocabularies are sorted by frequency, so these are frequent and rare words.
   */
  readonly bands?: readonly number[];
  /**
   * Called with each example's target, rank and loss, in the order of the batches: for paired comparisons of models.
   */
  readonly onExample?: (target: number, rank: number, loss: number) => void;
  readonly signal?: CancellationSignal;
  readonly onProgress?: (examples: number, total: number) => void;
}

/** A minibatch whose examples have one target each. */
export interface RankedBatch extends TrainingBatch {
  /** m classes; undefined, where a source of minibatches may have several targets per example, is rejected. */
  readonly targetIds: Int32Array | undefined;
}

/**
 * Ranks every target of one epoch of `batches` (created with `shuffle: false`, or a random order by its shuffle).
 * O(examples·D·d).
 * @throws ModelError `bad-option` when the bands do not ascend within the classes, or when examples have more than one
 * target; OutputLayerError `busy` beside another call on the network.
 */
export function evaluateRanking<Batch extends RankedBatch>(
  network: EvaluatedNetwork<NoInfer<Batch>>,
  batches: EvaluationBatches<Batch>,
  options: EvaluationOptions = {},
): Promise<RankingReport> {
  return network.exclusively('evaluateRanking', () => rankTargets(network, batches, options));
}

async function rankTargets<Batch extends RankedBatch>(
  network: EvaluatedNetwork<NoInfer<Batch>>,
  batches: EvaluationBatches<Batch>,
  options: EvaluationOptions,
): Promise<RankingReport> {
  const total = Math.min(options.limit ?? Infinity, batches.examplesPerEpoch);
  const starts = bandStarts(options.bands ?? [], network.output.classes);
  const all = new MetricsOfSome();
  const bands = starts.map(() => new MetricsOfSome());
  for (let examples = 0; examples < total;) {
    options.signal?.throwIfAborted();
    const batch = await batches.next();
    const { targetIds } = batch;
    if (targetIds === undefined)
      throw new ModelError(
        'bad-option',
        'evaluateRanking: the examples have several targets; evaluateMultiLabel is for those',
      );
    const hidden = network.computeHidden(batch);
    const losses = await read(await network.output.evaluate(hidden, batch.targets));
    const ranks = await ranksOf(network.output, hidden, targetIds.subarray(0, batch.size));
    const counted = Math.min(batch.size, total - examples);
    for (let example = 0; example < counted; example++) {
      const target = targetIds[example]!;
      const rank = ranks[example]!;
      const loss = losses[example]!;
      all.add(rank, loss);
      bands[starts.findLastIndex((start) => start <= target)]?.add(rank, loss);
      options.onExample?.(target, rank, loss);
    }
    examples += counted;
    options.onProgress?.(examples, total);
  }
  const { isNormalized, classes } = network.output;
  return {
    ...all.metrics(isNormalized),
    bands: bands.map((band, i) => ({
      firstClass: starts[i]!,
      lastClass: (starts[i + 1] ?? classes) - 1,
      ...band.metrics(isNormalized),
    })),
  };
}

class MetricsOfSome {
  readonly #collector = new RankCollector();
  #lossSum = 0;

  add(rank: number, loss: number): void {
    this.#collector.add(rank);
    this.#lossSum += loss;
  }

  metrics(isNormalized: boolean): RankingMetrics {
    return this.#collector.metrics(this.#lossSum, isNormalized);
  }
}

/** The first class of each band, from 0 on; empty without bands. */
function bandStarts(bands: readonly number[], classes: number): number[] {
  if (bands.length === 0) return [];
  let before = 0;
  for (const start of bands) {
    if (!Number.isSafeInteger(start) || start <= before || start >= classes) {
      throw new ModelError(
        'bad-option',
        `evaluateRanking: bands must ascend from 1 to ${classes - 1}, got ${bands.join(', ')}`,
      );
    }
    before = start;
  }
  return [0, ...bands];
}

/**
 * The metrics of a model that always predicts the training frequencies, on the same targets: the baseline that training
 * must exceed. Classes with equal counts have their middle rank. O(D log D + examples).
 */
export function unigramBaseline(vocabulary: Vocabulary, targets: ArrayLike<number>): RankingMetrics {
  const { counts, size } = vocabulary;
  const order = Array.from({ length: size }, (_, id) => id).sort((a, b) => counts[b]! - counts[a]!);
  const ranks = new Float64Array(size);
  for (let first = 0; first < size;) {
    let end = first + 1;
    while (end < size && counts[order[end]!] === counts[order[first]!]) end++;
    for (let place = first; place < end; place++) ranks[order[place]!] = (first + 1 + end) / 2;
    first = end;
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  const collector = new RankCollector();
  let loss = 0;
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    collector.add(ranks[target]!);
    // A class that never occurred in training has probability 0; half a count keeps the perplexity finite.
    loss -= Math.log(Math.max(0.5, counts[target]!) / total);
  }
  return collector.metrics(loss, true);
}
