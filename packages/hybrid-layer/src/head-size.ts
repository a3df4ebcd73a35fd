/** How many classes the head gets. */

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
