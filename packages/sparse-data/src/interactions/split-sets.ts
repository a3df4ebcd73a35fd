import { type CsrRows, validateCsrRows } from '../csr/csr-rows.ts';
import { CsrBuffer } from '../csr/csr-buffer.ts';
import { SparseDataError, checkInteger, show } from '../errors.ts';
import { mix32, seedWord } from '../random/random.ts';

/** The part of each set that is hidden. */
export interface SplitSetsOptions {
  /**
   * Share of the elements of each set that is hidden, in [0, 1]. The number is rounded, and at least one element of a
   * set is shown.
   */
  readonly hidden: number;
  /** An integer in [0, 2^53); default 0. */
  readonly seed?: number;
}

/** Both have the rows and columns of the input; together they have its entries. */
export interface SplitSets {
  readonly shown: CsrRows;
  readonly hidden: CsrRows;
}

/**
 * Splits each set into a shown and a hidden part, the same for all epochs. Predicting the hidden part from the shown
 * one is the usual test of set completion and recommendation. Cost: O(entries); the entries are copied.
 * @throws SparseDataError `bad-option`, and as validateCsrRows.
 */
export function splitSets(sets: CsrRows, options: SplitSetsOptions): SplitSets {
  const { hidden: share, seed = 0 } = options;
  validateCsrRows(sets, 'splitSets: sets');
  if (!(share >= 0 && share <= 1))
    throw new SparseDataError('bad-option', `splitSets: hidden is ${show(share)}; a number in 0..1 is needed`);
  checkInteger('splitSets', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const key = seedWord(seed, 0);
  return splitRows(sets, (start, count) => {
    const drawn = Array.from({ length: count }, (_, i) => mix32(key ^ mix32(start + i + 1)) >>> 0);
    const hiddenCount = Math.min(Math.round(share * count), count - 1);
    const bound = hiddenCount <= 0 ? -1 : drawn.toSorted((a, b) => a - b)[hiddenCount - 1]!;
    return (place) => drawn[place]! <= bound;
  });
}

/**
 * Hides the last element of each row of two or more: leave one out, the usual test of next-item models. Cost:
 * O(entries); the entries are copied.
 * @throws SparseDataError as validateCsrRows.
 */
export function splitLast(sessions: CsrRows): SplitSets {
  validateCsrRows(sessions, 'splitLast: sessions');
  return splitRows(sessions, (_, count) => (place) => count > 1 && place === count - 1);
}

/**
 * Hides the elements from a time on, of all rows: the past is shown, the future hidden. `timeSplitEnds` gives the time
 * for a share. Cost: O(entries); the entries are copied.
 * @param times of the entries.
 * @throws SparseDataError `shape` for another number of times; as validateCsrRows.
 */
export function splitAtTime(sessions: CsrRows, times: Float64Array, from: number): SplitSets {
  validateCsrRows(sessions, 'splitAtTime: sessions');
  const entries = sessions.offsets[sessions.rows]!;
  if (times.length !== entries)
    throw new SparseDataError(
      'shape',
      `splitAtTime: there are ${times.length} times for ${entries} entries; one each is needed`,
    );
  return splitRows(sessions, (start) => (place) => times[start + place]! >= from);
}

/** @param hides for the row that starts at an entry and has so many: which places of it are hidden. */
function splitRows(
  { rows, columns, offsets, indices, values }: CsrRows,
  hides: (start: number, count: number) => (place: number) => boolean,
): SplitSets {
  const weighted = values !== undefined;
  const shown = new CsrBuffer(columns, { weighted });
  const hidden = new CsrBuffer(columns, { weighted });
  for (let row = 0; row < rows; row++) {
    const start = offsets[row]!;
    const count = offsets[row + 1]! - start;
    const isHidden = hides(start, count);
    for (let i = 0; i < count; i++)
      (isHidden(i) ? hidden : shown).add(indices[start + i]!, weighted ? values[start + i]! : 1);
    shown.endRow();
    hidden.endRow();
  }
  return { shown: shown.rows(), hidden: hidden.rows() };
}
