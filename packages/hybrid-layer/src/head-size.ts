/** How many classes the head gets, and how many of the others are children of a tree's root. */
import { maxRootNodes } from '@vastmax/softmax-losses/layer-parts';

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

/** What {@link chooseHybridSizes} decides by. */
export interface HybridSizeInputs extends HeadSizeInputs {
  /** Default `tree`. */
  readonly tail?: 'tree' | 'spherical';
  /** Where they are given. */
  readonly headSize?: number;
  readonly shortlist?: number;
}

/**
 * The head's size, and of a tree the classes that are children of its root, the shortlist. O(D).
 *
 * Classes in the shortlist are as well modelled as in the head, by a flat softmax, but cost only what the examples of
 * the tail pay. So head and shortlist together have the classes that {@link chooseHeadSize} gives a head alone, and the
 * border between them is where a step costs least: F + 1 rows for each example, and the shortlist and the nodes of the
 * root for the share of the examples that is expected in the tail.
 */
export function chooseHybridSizes(inputs: HybridSizeInputs): { readonly headSize: number; readonly shortlist: number } {
  const { frequencies, tail = 'tree' } = inputs;
  const classes = frequencies.length;
  const flat = chooseHeadSize(inputs);
  if (tail === 'spherical') return { headSize: inputs.headSize ?? flat, shortlist: 0 };
  let { headSize } = inputs;
  if (headSize === undefined) {
    let total = 0;
    for (let i = 0; i < classes; i++) total += frequencies[i]!;
    let lowest = Infinity;
    let inTail = total;
    for (let size = 1; size <= flat; size++) {
      inTail -= frequencies[size - 1]!;
      const listed = inputs.shortlist ?? flat - size;
      const nodes = Math.min(maxRootNodes, classes - size - listed);
      const cost = size + (total > 0 ? inTail / total : 1) * (listed + nodes);
      if (cost >= lowest) continue;
      lowest = cost;
      headSize = size;
    }
  }
  headSize ??= flat;
  return { headSize, shortlist: inputs.shortlist ?? Math.max(0, flat - headSize) };
}
