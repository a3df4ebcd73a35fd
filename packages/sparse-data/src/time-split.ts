import { show } from './option-checks.ts';
import { SparseDataError } from './errors.ts';
import { cumulativeShares } from './split-shares.ts';
import type { SplitShares } from './split-shares.ts';

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
