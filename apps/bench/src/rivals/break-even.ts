/**
 * From how many classes on the factored layer costs less than the full softmax, which has less to do when there are
 * few.
 */

export interface BreakEvenTiming {
  readonly classes: number;
  readonly fullMs: number;
  readonly factoredMs: number;
}

/** The class counts that are timed for it. */
export const breakEvenClasses = [250, 500, 1000, 2000, 4000, 10_000] as const;

/**
 * The number of classes at which both take as long: between the last timing in which the full softmax is the faster one
 * and the one after it, linearly in the logarithms of D and of the ratio. Null when the timings do not reach it.
 * @param timings by rising classes.
 */
export function computeBreakEven(timings: readonly BreakEvenTiming[]): number | null {
  const points = timings.map(({ classes, fullMs, factoredMs }) => ({
    position: Math.log(classes),
    excess: Math.log(fullMs / factoredMs),
  }));
  const above = points.findLastIndex(({ excess }) => excess <= 0) + 1;
  const lower = points[above - 1];
  const upper = points[above];
  if (lower === undefined || upper === undefined) return null;
  const share = -lower.excess / (upper.excess - lower.excess);
  return Math.round(Math.exp(lower.position + share * (upper.position - lower.position)));
}
