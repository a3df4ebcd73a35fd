import { SparseDataError, checkInteger, show } from '../errors.ts';
import { mix32, seedWord } from '../random/random.ts';

/** The share of each part of a split, by its name, e.g. `{ train: 0.8, valid: 0.1, test: 0.1 }`; they add up to 1. */
export type SplitShares<Name extends string> = Readonly<Record<Name, number>>;

/**
 * The parts of a split with the sum of the shares up to and including each, in the order of the object; the last sum is
 * 1.
 * @throws SparseDataError `bad-split` for no parts, a negative or infinite share, or a sum other than 1.
 */
function cumulativeShares<Name extends string>(
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

// Which part an example belongs to is a function of its key and the seed alone: it does not change when the file is
// reordered or grows, all examples of one key (a user, a document) land together, and nothing is stored.

export interface HashSplitOptions {
  /** An integer in [0, 2^53); default 0. Another seed is another, independent split. */
  readonly seed?: number;
}

/**
 * A split by key: the returned function names the part of a key, each part getting about its share of all keys.
 * Cost: O(characters of the key).
 * @param shares in the order of the object; they add up to 1.
 * @throws SparseDataError `bad-split`, `bad-option`.
 */
export function createHashSplit<Name extends string>(
  shares: SplitShares<Name>,
  options: HashSplitOptions = {},
): (key: string) => Name {
  const { seed = 0 } = options;
  checkInteger('createHashSplit', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const parts = cumulativeShares('createHashSplit', shares);
  const word = seedWord(seed, 0);
  return (key) => {
    const at = hashString(key, word) / 2 ** 32;
    // at < 1, and the last bound is 1.
    let part = 0;
    while (at >= parts[part]![1]) part++;
    return parts[part]![0];
  };
}

// MurmurHash3 for 32 bits (Austin Appleby, public domain) over UTF-16 code units, one a step. The same on every
// machine.

/** A 32-bit hash in [0, 2^32) of a string under a 32-bit seed. */
export function hashString(text: string, seed: number): number {
  let hash = seed | 0;
  for (let at = 0; at < text.length; at++) {
    let unit = Math.imul(text.charCodeAt(at), 0xcc9e2d51);
    unit = (unit << 15) | (unit >>> 17);
    hash ^= Math.imul(unit, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  return mix32(hash ^ text.length) >>> 0;
}

/**
 * Where each part of a split by time ends (exclusive), in order, e.g. `{ train: 1000, valid: 1100, test: Infinity }`.
 */
export type TimeSplitEnds<Name extends string> = Readonly<Record<Name, number>>;

/**
 * A split by time: the returned function names the part that a time falls into. A part reaches from the end of the one
 * before it (the first from −Infinity) to its own, exclusive; the last must end at Infinity. Cost: O(parts).
 * @throws SparseDataError `bad-split` for ends that fall, are NaN, or do not reach Infinity; from the function, for a
 * time that is NaN.
 */
export function createTimeSplit<Name extends string>(ends: TimeSplitEnds<Name>): (time: number) => Name {
  const parts = Object.entries(ends) as [Name, number][];
  let previous = Number.NEGATIVE_INFINITY;
  for (const [name, end] of parts) {
    if (typeof end !== 'number' || Number.isNaN(end) || end < previous) {
      throw new SparseDataError(
        'bad-split',
        `createTimeSplit: ${show(name)} ends at ${show(end)}, the part before it at ${previous}; ends must not fall`,
      );
    }
    previous = end;
  }
  if (previous !== Number.POSITIVE_INFINITY) {
    throw new SparseDataError(
      'bad-split',
      `createTimeSplit: the last part ends at ${previous}; it must end at Infinity, so that every time has a part`,
    );
  }
  return (time) => {
    for (const [name, end] of parts) if (time < end || (time === end && end === Number.POSITIVE_INFINITY)) return name;
    throw new SparseDataError('bad-split', `createTimeSplit: time is ${show(time)}; a number other than NaN is needed`);
  };
}

/**
 * The ends for createTimeSplit that give each part about its share of the given times. Equal times stay together, in
 * the later part, so that nothing in a part is older than anything in the part before it. Cost: O(n log n); memory: a
 * copy of the times.
 * @throws SparseDataError `bad-split`; `empty-input` for no times; `non-finite-value` with the position of a time.
 */
export function timeSplitEnds<Name extends string>(
  times: ArrayLike<number>,
  shares: SplitShares<Name>,
): Record<Name, number> {
  const parts = cumulativeShares('timeSplitEnds', shares);
  if (times.length === 0)
    throw new SparseDataError('empty-input', 'timeSplitEnds: there are no times; at least 1 is needed');
  const sorted = Float64Array.from(times);
  const wrong = sorted.findIndex((time) => !Number.isFinite(time));
  if (wrong !== -1)
    throw new SparseDataError(
      'non-finite-value',
      `timeSplitEnds: time ${wrong} of ${times.length} is ${sorted[wrong]!}; times must be finite`,
    );
  sorted.sort();
  // Beyond the last time there is nothing: a part whose share reaches it ends at Infinity.
  return Object.fromEntries(
    parts.map(([name, bound]) => [name, sorted[Math.round(bound * sorted.length)] ?? Number.POSITIVE_INFINITY]),
  ) as Record<Name, number>;
}
