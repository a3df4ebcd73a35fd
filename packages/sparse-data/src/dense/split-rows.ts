import { createHashSplit } from '../interactions/split-interactions.ts';
import { SparseDataError } from '../errors.ts';

/** Which share of the rows is held out. */
export interface SplitRowsOptions {
  /** The share of the rows that is held out, in 0..1. */
  readonly heldOut: number;
  /** An integer in [0, 2^53); default 0. */
  readonly seed?: number;
}

/** The numbers of the rows of each part, ascending: `rows` of batches. */
export interface SplitRows {
  readonly kept: Int32Array;
  readonly heldOut: Int32Array;
}

/**
 * Numbers of rows in two parts, by hash: a row's part does not change when rows are added. O(rows).
 * @throws SparseDataError `bad-split` for a share that is none, or where a part would be empty.
 */
export function splitRows(rows: number, { heldOut: share, seed = 0 }: SplitRowsOptions): SplitRows {
  const partOf = createHashSplit({ kept: 1 - share, heldOut: share }, { seed });
  const kept: number[] = [];
  const heldOut: number[] = [];
  for (let row = 0; row < rows; row++) (partOf(String(row)) === 'kept' ? kept : heldOut).push(row);
  if (kept.length === 0 || heldOut.length === 0)
    throw new SparseDataError(
      'bad-split',
      `splitRows: a share of ${share} holds out ${heldOut.length} of ${rows} rows; both parts need at least 1`,
    );
  return { kept: Int32Array.from(kept), heldOut: Int32Array.from(heldOut) };
}
