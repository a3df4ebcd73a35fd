/**
 * What the best k classes of an example say about a model when an example has several right ones. Collected one example
 * at a time, so that nothing but sums is held.
 */

export interface MultiLabelMetrics {
  /** Examples with a right class at least; others say nothing about a ranking and are left out. */
  readonly examples: number;
  /** Each for every k that was asked for. */
  readonly atK: readonly MultiLabelMetricsAtK[];
}

export interface MultiLabelMetricsAtK {
  readonly k: number;
  /** Share of the k best that are right, mean over examples. */
  readonly precision: number;
  /** Share of the right ones that are among the k best, mean over examples. */
  readonly recall: number;
  /**
   * Discounted gain Σ 1/log₂(1 + place) of the right ones over that of the best possible ranking, mean over examples.
   */
  readonly ndcg: number;
  /** Share of examples with a right one among the k best. */
  readonly hitRate: number;
  /**
   * Precision with each right class weighing 1/p_l, over the most that any ranking could reach (Jain et al., KDD 2016);
   * undefined without propensities.
   */
  readonly propensityScoredPrecision: number | undefined;
}

interface SumsAtK {
  readonly k: number;
  precision: number;
  recall: number;
  ndcg: number;
  hits: number;
  gain: number;
  possibleGain: number;
}

export interface MultiLabelOptions {
  /** Ascending. */
  readonly ks: readonly number[];
  /** p_l of each class; see {@link computePropensities}. */
  readonly propensities?: ArrayLike<number>;
}

export class MultiLabelCollector {
  /** The largest k: how many classes `add` wants. */
  readonly depth: number;
  readonly #sums: readonly SumsAtK[];
  readonly #propensities: ArrayLike<number> | undefined;
  #examples = 0;

  /** @throws RangeError when the ks do not ascend from 1 on. */
  constructor({ ks, propensities }: MultiLabelOptions) {
    const ascends = ks.length > 0 && ks.every((k, i) => Number.isSafeInteger(k) && k > (ks[i - 1] ?? 0));
    if (!ascends)
      throw new RangeError(
        `multi-label metrics: ks must be whole numbers that ascend from 1 on, got [${ks.join(', ')}]`,
      );
    this.depth = ks[ks.length - 1]!;
    this.#propensities = propensities;
    this.#sums = ks.map((k) => ({ k, precision: 0, recall: 0, ndcg: 0, hits: 0, gain: 0, possibleGain: 0 }));
  }

  /**
   * @param ranked the best classes, best first, `depth` of them or fewer where there are no more.
   * @param right the classes that are right, none twice. O(depth + right · log right).
   */
  add(ranked: ArrayLike<number>, right: ArrayLike<number>): void {
    if (right.length === 0) return;
    this.#examples++;
    const isRight = new Set<number>();
    for (let i = 0; i < right.length; i++) isRight.add(right[i]!);
    const weights = this.#weightsOf(right);
    let hits = 0;
    let dcg = 0;
    let ideal = 0;
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
          if (this.#propensities !== undefined) gain += 1 / this.#propensities[ranked[place]!]!;
        }
      }
      sums.precision += hits / sums.k;
      sums.recall += hits / right.length;
      sums.ndcg += dcg / ideal;
      sums.hits += hits > 0 ? 1 : 0;
      sums.gain += gain / sums.k;
      sums.possibleGain += possibleGain / sums.k;
    }
  }

  metrics(): MultiLabelMetrics {
    const examples = Math.max(1, this.#examples);
    return {
      examples: this.#examples,
      atK: this.#sums.map(({ k, precision, recall, ndcg, hits, gain, possibleGain }) => ({
        k,
        precision: precision / examples,
        recall: recall / examples,
        ndcg: ndcg / examples,
        hitRate: hits / examples,
        propensityScoredPrecision:
          this.#propensities === undefined ? undefined : gain / Math.max(possibleGain, Number.MIN_VALUE),
      })),
    };
  }

  /** 1/p of the right classes, largest first. */
  #weightsOf(right: ArrayLike<number>): Float64Array | undefined {
    const propensities = this.#propensities;
    if (propensities === undefined) return undefined;
    return Float64Array.from(right, (label) => 1 / propensities[label]!)
      .sort()
      .reverse();
  }
}
