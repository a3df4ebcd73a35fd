import { show } from './option-checks.ts';
import { SparseDataError } from './errors.ts';

/** The share of each part of a split, by its name, e.g. `{ train: 0.8, valid: 0.1, test: 0.1 }`; they add up to 1. */
export type SplitShares<Name extends string> = Readonly<Record<Name, number>>;

/**
 * The parts of a split with the sum of the shares up to and including each, in the order of the object; the last sum is
 * 1.
 * @throws SparseDataError `bad-split` for no parts, a negative or infinite share, or a sum other than 1.
 */
export function cumulativeShares<Name extends string>(
  where: string,
  shares: SplitShares<Name>,
): readonly (readonly [Name, number])[] {
  const parts = Object.entries(shares) as [Name, number][];
  if (parts.length === 0) throw new SparseDataError('bad-split', `${where}: there are no parts; at least 1 is needed`);
  let sum = 0;
  const cumulative = parts.map(([name, share]) => {
    if (!Number.isFinite(share) || share < 0)
      throw new SparseDataError(
        'bad-split',
        `${where}: the share of ${show(name)} is ${show(share)}; a number in 0..1 is needed`,
      );
    sum += share;
    return [name, sum] as const;
  });
  if (Math.abs(sum - 1) > 1e-9)
    throw new SparseDataError('bad-split', `${where}: the shares add up to ${sum}; they must add up to 1`);
  // Rounding must not leave a gap below 1. A part of share 0 stays empty: its bound, not less than the one before, is
  // not moved past it.
  return cumulative.map(([name, bound]) => [name, bound > 1 - 1e-9 ? 1 : bound] as const);
}
