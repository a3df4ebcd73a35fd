/**
 * How many classes the head holds. Quality grows with the head (docs/experiments.md has the figures), so the head is as
 * large as its cost allows: its dense softmax, 6(F + 1)d operations an example, may cost four times what the factored
 * layer costs, 14d² + 8md, which gives 1,877 classes for d = 128. Beyond the classes that hold 99 % of the occurrences
 * a larger head meets hardly a target, and a class that never occurs has nothing to learn there.
 */
export interface HeadSizeInputs {
  /** How often each class occurs, falling. */
  readonly frequencies: ArrayLike<number>;
  /** d. */
  readonly features: number;
  /** m; 128 unless given. */
  readonly batch?: number;
}

const costOfHead = 4;
const shareOfOccurrences = 0.99;

/** F, from 1 to D − 1. O(D). */
export function chooseHeadSize({ frequencies, features, batch = 128 }: HeadSizeInputs): number {
  const classes = frequencies.length;
  const byCost = Math.floor((costOfHead * (14 * features + 8 * Math.min(batch, features))) / 6);
  let total = 0;
  for (let i = 0; i < classes; i++) total += frequencies[i]!;
  let covered = 0;
  let byShare = 0;
  while (byShare < classes && frequencies[byShare]! > 0 && covered < shareOfOccurrences * total)
    covered += frequencies[byShare++]!;
  return Math.max(1, Math.min(byCost, byShare, classes - 1));
}
