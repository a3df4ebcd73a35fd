/**
 * What a list of timings is reduced to: the median, and the quartiles as its spread. A mean would follow the one sample
 * that was disturbed.
 */
export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly minimum: number;
  readonly samples: number;
}

/** @throws RangeError for no samples. */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    lowerQuartile: quantile(sorted, 0.25),
    upperQuartile: quantile(sorted, 0.75),
    minimum: quantile(sorted, 0),
    samples: sorted.length,
  };
}

/** Every number times `factor` above 0, the count left as it is. */
export function scaleSpread(
  { median, lowerQuartile, upperQuartile, minimum, samples }: Spread,
  factor: number,
): Spread {
  return {
    median: factor * median,
    lowerQuartile: factor * lowerQuartile,
    upperQuartile: factor * upperQuartile,
    minimum: factor * minimum,
    samples,
  };
}

/** Linear between the two nearest ranks, as numpy and R (type 7) have it; `sorted` ascending. */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) throw new RangeError('quantile: there are no samples');
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)]!;
  const above = sorted[Math.ceil(place)]!;
  return below + (above - below) * (place - Math.floor(place));
}
