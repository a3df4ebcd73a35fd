/**
 * Walker's alias method (A. Walker 1977; the linear construction of M. Vose 1991): any distribution over n values as n
 * columns of equal mass, each shared by at most two values, so that a draw is one column and one comparison whatever n
 * is.
 */
import type { RandomGenerator } from '@vastmax/sparse-data';

export interface AliasTable {
  /** Share of column i that belongs to value i; the rest belongs to aliases[i]. */
  readonly shares: Float64Array;
  readonly aliases: Int32Array;
}

/** O(n). @param weights at least one, non-negative and finite with a positive sum; the caller has checked. */
export function createAliasTable(weights: Float64Array): AliasTable {
  const n = weights.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += weights[i]!;
  const shares = new Float64Array(n);
  const aliases = new Int32Array(n);
  // One array for both stacks: columns that lack mass grow from the front, columns with too much from the back.
  const stacks = new Int32Array(n);
  let small = 0;
  let large = n;
  for (let i = 0; i < n; i++) {
    // The quotient first: n times a weight near the largest double would overflow.
    const share = (weights[i]! / sum) * n;
    shares[i] = share;
    aliases[i] = i;
    if (share < 1) stacks[small++] = i;
    else stacks[--large] = i;
  }
  while (small > 0 && large < n) {
    const poor = stacks[--small]!;
    const rich = stacks[large]!;
    aliases[poor] = rich;
    // In this order the rich column keeps its digits: its share is at least 1, the poor one's below 1.
    shares[rich] = shares[rich]! - (1 - shares[poor]!);
    if (shares[rich] < 1) {
      large++;
      stacks[small++] = rich;
    }
  }
  // Shares sum to n, so columns without a partner on the other stack are 1 up to rounding, whichever stack they are on.
  while (large < n) shares[stacks[large++]!] = 1;
  while (small > 0) shares[stacks[--small]!] = 1;
  return { shares, aliases };
}

/** One value. Two random numbers, O(1). */
export function drawFromAliasTable({ shares, aliases }: AliasTable, random: RandomGenerator): number {
  const column = random.integer(shares.length);
  return random.uniform() < shares[column]! ? column : aliases[column]!;
}
