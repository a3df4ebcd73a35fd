/** Seeded statistics: a draw is compared with the probabilities that its proposal reports. */
import type { FixedProposal } from '@vastmax/softmax-losses';
import { RandomGenerator } from '@vastmax/sparse-data';

export function probabilitiesOf(proposal: FixedProposal): Float64Array {
  return Float64Array.from({ length: proposal.classes }, (_, k) => Math.exp(proposal.logProbability(k)));
}

export function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}

export function drawnCounts(proposal: FixedProposal, draws: number, seed: number): Float64Array {
  const drawn = new Int32Array(draws + 2).fill(-7);
  proposal.draw(draws, new RandomGenerator(seed), drawn, 1);
  if (drawn[0] !== -7 || drawn[draws + 1] !== -7) throw new Error('draw wrote outside of its range');
  const counts = new Float64Array(proposal.classes);
  for (let i = 1; i <= draws; i++) counts[drawn[i]!]!++;
  return counts;
}

/**
 * Pearson's chi-square of counts against probabilities, as a standard normal deviate (E. Wilson, M. Hilferty 1931):
 * above 4 by chance once in 30,000 tests. Classes that are expected fewer than 5 times are put together. A class of
 * probability 0 that was drawn gives Infinity.
 */
export function chiSquareDeviate(counts: ArrayLike<number>, probabilities: ArrayLike<number>): number {
  const draws = sumOf(counts);
  let statistic = 0;
  let cells = 0;
  let restExpected = 0;
  let restCount = 0;
  for (let k = 0; k < counts.length; k++) {
    const expected = draws * probabilities[k]!;
    if (expected === 0 && counts[k]! > 0) return Infinity;
    if (expected < 5) {
      restExpected += expected;
      restCount += counts[k]!;
      continue;
    }
    statistic += (counts[k]! - expected) ** 2 / expected;
    cells++;
  }
  if (restExpected > 0) {
    statistic += (restCount - restExpected) ** 2 / restExpected;
    cells++;
  }
  const freedom = cells - 1;
  if (freedom === 0) return 0;
  const spread = 2 / (9 * freedom);
  return (Math.cbrt(statistic / freedom) - (1 - spread)) / Math.sqrt(spread);
}
