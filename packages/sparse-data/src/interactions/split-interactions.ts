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
  // Rounding errors must not leave a gap below 1. A part of share 0 stays empty, because its bound equals the one
  // before it.
  return cumulative.map(([name, bound]) => [name, bound > 1 - 1e-9 ? 1 : bound] as const);
}

// The part of an example depends only on its key and the seed. It does not change when the file is reordered or grows,
// all examples with one key (a user, a document) are in the same part, and nothing is stored.

/** The seed of the hash that decides about a user. */
export interface HashSplitOptions {
  /** An integer in [0, 2^53); default 0. Another seed is another, independent split. */
  readonly seed?: number;
}

/**
 * A split by key. The returned function gives the name of the part of a key; each part gets approximately its share of
 * all keys. Cost: O(characters of the key).
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

// MurmurHash3 for 32 bits (Austin Appleby, public domain) over UTF-16 code units, one per step. It gives the same
// result on every machine.

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
 * A split by time. The returned function gives the name of the part of a time. A part starts at the end of the part
 * before it (the first at −Infinity) and stops before its own end; the last part must end at Infinity. Cost: O(parts).
 * @throws SparseDataError `bad-split` if ends decrease, are NaN, or the last is not Infinity; the returned function
 * throws it for NaN.
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
 * The ends for createTimeSplit with which each part gets approximately its share of the given times. Equal times are in
 * the same part, the later one, so every time in a part is later than all times in the part before it. Cost: O(n log
 * n); memory: a copy of the times.
 * @throws SparseDataError `bad-split`, also if equal times leave a part without any; `empty-input` for no times; `non-finite-value` with the position of a time.
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
  let first = 0;
  let start = Number.NEGATIVE_INFINITY;
  for (const [name, bound] of parts) {
    const end = Math.round(bound * sorted.length);
    const endTime = sorted[end] ?? Number.POSITIVE_INFINITY;
    // The part has times before its end, unless all of them are equal to the one there.
    if (end > first && !(Math.max(start, sorted[0]!) < endTime)) {
      const ties = sorted.filter((time) => time === endTime).length;
      throw new SparseDataError(
        'bad-split',
        `timeSplitEnds: ${show(name)} would have none of the ${sorted.length} times instead of ${end - first}: ${ties} of them are ${endTime}, and equal times are never divided; use finer times, other shares, or createHashSplit`,
      );
    }
    first = end;
    start = endTime;
  }
  // A part that contains the last time ends at Infinity.
  return Object.fromEntries(
    parts.map(([name, bound]) => [name, sorted[Math.round(bound * sorted.length)] ?? Number.POSITIVE_INFINITY]),
  ) as Record<Name, number>;
}
