/**
 * The rank and loss of each held-out example, and what is computed from them: metrics, standard errors, and differences
 * between two models on the same examples, whose errors are smaller because hard words are hard for both. Examples
 * count as independent, which neighbouring words of an article are not quite.
 */
export const metricNames = ['top1', 'top5', 'top10', 'top50', 'top100', 'mrr'] as const;
type MetricName = (typeof metricNames)[number];

/** Shares and the mean reciprocal rank, 0 to 1; the perplexity is null where the scores are no probabilities. */
export type Metrics = Readonly<Record<MetricName, number>> & { readonly perplexity: number | null };

export interface Outcomes {
  /** 1 is best. */
  readonly ranks: Int32Array;
  /** −log p; null where the scores are no probabilities. */
  readonly losses: Float64Array | null;
  /** Number of the frequency band of the target. */
  readonly bands: Uint8Array;
}

export interface Summary {
  readonly examples: number;
  readonly metrics: Metrics;
  readonly standardErrors: Metrics;
}

/** One model less the other; the perplexity as a ratio, the first over the second. */
export interface Comparison {
  readonly differences: Readonly<Record<MetricName, number>>;
  readonly perplexityRatio: number | null;
  readonly standardErrors: Readonly<Record<MetricName, number>> & { readonly perplexityRatio: number | null };
}

const ofRank: Readonly<Record<MetricName, (rank: number) => number>> = {
  top1: (rank) => (rank <= 1 ? 1 : 0),
  top5: (rank) => (rank <= 5 ? 1 : 0),
  top10: (rank) => (rank <= 10 ? 1 : 0),
  top50: (rank) => (rank <= 50 ? 1 : 0),
  top100: (rank) => (rank <= 100 ? 1 : 0),
  mrr: (rank) => 1 / rank,
};

/** @param band only the targets of this frequency band; all unless given. O(examples). */
export function summarize(outcomes: Outcomes, band?: number): Summary {
  const { ranks, losses } = outcomes;
  const chosen = examplesOf(outcomes, band);
  const means = forEachMetric((name) => meanOf(chosen, (i) => ofRank[name](ranks[i]!)));
  const loss = losses === null ? null : meanOf(chosen, (i) => losses[i]!);
  const perplexity = loss === null ? null : Math.exp(loss.mean);
  return {
    examples: chosen.length,
    metrics: { ...forEachMetric((name) => means[name].mean), perplexity },
    // To first order, the error of exp x is exp x times that of x.
    standardErrors: {
      ...forEachMetric((name) => means[name].standardError),
      perplexity: loss === null || perplexity === null ? null : perplexity * loss.standardError,
    },
  };
}

/**
 * Pairs of models trained alike but for the layer, a pair for each seed: differences are averaged over the seeds
 * example by example, so the errors are those of the held-out sample; how much seeds differ is seen in the rows.
 * O(examples).
 * @throws RangeError when there is no pair, or the models were not ranked on the same examples.
 */
export function compare(
  pairs: readonly { readonly ours: Outcomes; readonly theirs: Outcomes }[],
  band?: number,
): Comparison {
  const first = pairs[0];
  if (first === undefined) throw new RangeError('compare: there is no pair of models');
  for (const { ours, theirs } of pairs) {
    for (const { bands } of [ours, theirs]) {
      if (bands.length === first.ours.bands.length && bands.every((value, i) => value === first.ours.bands[i]))
        continue;
      throw new RangeError('compare: the models were not ranked on the same examples');
    }
  }
  const chosen = examplesOf(first.ours, band);
  const paired = (value: (outcomes: Outcomes, i: number) => number): Mean =>
    meanOf(
      chosen,
      (i) => pairs.reduce((sum, { ours, theirs }) => sum + value(ours, i) - value(theirs, i), 0) / pairs.length,
    );
  const means = forEachMetric((name) => paired(({ ranks }, i) => ofRank[name](ranks[i]!)));
  const hasLosses = pairs.every(({ ours, theirs }) => ours.losses !== null && theirs.losses !== null);
  const loss = hasLosses ? paired(({ losses }, i) => losses?.[i] ?? 0) : null;
  const perplexityRatio = loss === null ? null : Math.exp(loss.mean);
  return {
    differences: forEachMetric((name) => means[name].mean),
    perplexityRatio,
    standardErrors: {
      ...forEachMetric((name) => means[name].standardError),
      perplexityRatio: loss === null || perplexityRatio === null ? null : perplexityRatio * loss.standardError,
    },
  };
}

interface Mean {
  readonly mean: number;
  readonly standardError: number;
}

/** The error is 0 for fewer than two examples, as is the mean of none. */
function meanOf(examples: Int32Array, value: (example: number) => number): Mean {
  let sum = 0;
  for (const example of examples) sum += value(example);
  const mean = sum / Math.max(1, examples.length);
  let squares = 0;
  for (const example of examples) squares += (value(example) - mean) ** 2;
  return {
    mean,
    standardError: examples.length < 2 ? 0 : Math.sqrt(squares / (examples.length - 1) / examples.length),
  };
}

function examplesOf({ bands }: Outcomes, band: number | undefined): Int32Array {
  const all = Int32Array.from(bands.keys());
  return band === undefined ? all : all.filter((i) => bands[i] === band);
}

function forEachMetric<Value>(value: (name: MetricName) => Value): Record<MetricName, Value> {
  return Object.fromEntries(metricNames.map((name) => [name, value(name)])) as Record<MetricName, Value>;
}
