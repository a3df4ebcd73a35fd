// Repeated indices of a row become one entry whose value is the sum; a row keeps the order of first appearance.
//
// No array of `columns` entries may appear here: columns can be 10^7 classes while a row has three entries. A short row
// is searched linearly in what has been written of it; a longer one through an open-addressed hash table of at least
// twice its length (DistinctIndices). Sorting each row was rejected: it loses the order of appearance, which callers
// compare position by position.

import type { CsrRows } from './csr-rows.ts';
import { DistinctIndices } from './distinct-indices.ts';

const LINEAR_SEARCH_LIMIT = 12;

/** Merges repeated indices into buffers that it owns and reuses: a training loop keeps one. */
export class DuplicateMerger {
  #offsets = new Int32Array(1);
  #indices = new Int32Array(0);
  #values = new Float64Array(0);
  readonly #distinct = new DistinctIndices();
  readonly #merged: { rows: number; columns: number; offsets: Int32Array; indices: Int32Array; values: Float64Array } =
    {
      rows: 0,
      columns: 0,
      offsets: this.#offsets,
      indices: this.#indices,
      values: this.#values,
    };

  /**
   * The rows of `csr` (assumed valid) with every index at most once a row, weights added in f64. Returns `csr` itself
   * where no row repeats an index, and otherwise rows that belong to this merger and hold until its next merge. Cost:
   * O(entries) expected, whatever `columns` is; allocates only when more entries or another number of rows arrive.
   */
  merge(csr: CsrRows): CsrRows {
    const { rows, offsets, indices, values } = csr;
    const entries = offsets[rows]!;
    this.#reserve(rows, entries);
    const outOffsets = this.#offsets;
    const outIndices = this.#indices;
    const outValues = this.#values;
    let written = 0;
    for (let row = 0; row < rows; row++) {
      const start = offsets[row]!;
      const end = offsets[row + 1]!;
      const rowStart = written;
      const hashed = end - start > LINEAR_SEARCH_LIMIT;
      if (hashed) this.#distinct.begin(end - start);
      for (let entry = start; entry < end; entry++) {
        const index = indices[entry]!;
        const value = values === undefined ? 1 : values[entry]!;
        const at = hashed ? rowStart + this.#distinct.slotOf(index) : findLinear(outIndices, rowStart, written, index);
        if (at === written) {
          outIndices[at] = index;
          outValues[at] = value;
          written++;
        } else {
          outValues[at] = outValues[at]! + value;
        }
      }
      outOffsets[row + 1] = written;
    }
    if (written === entries) return csr;
    this.#merged.columns = csr.columns;
    return this.#merged;
  }

  #reserve(rows: number, entries: number): void {
    const merged = this.#merged;
    if (this.#offsets.length < rows + 1) this.#offsets = new Int32Array(Math.max(rows + 1, 2 * this.#offsets.length));
    if (merged.offsets.length !== rows + 1 || merged.offsets.buffer !== this.#offsets.buffer) {
      merged.offsets = this.#offsets.subarray(0, rows + 1);
      merged.rows = rows;
    }
    if (this.#indices.length < entries) {
      const capacity = Math.max(entries, 2 * this.#indices.length);
      this.#indices = new Int32Array(capacity);
      this.#values = new Float64Array(capacity);
      merged.indices = this.#indices;
      merged.values = this.#values;
    }
  }
}

function findLinear(indices: Int32Array, start: number, end: number, index: number): number {
  for (let at = start; at < end; at++) if (indices[at] === index) return at;
  return end;
}

/**
 * As DuplicateMerger.merge with a fresh merger: the result is the caller's to keep (or `csr` itself, where nothing
 * repeats).
 */
export function mergeDuplicates(csr: CsrRows, merger: DuplicateMerger = new DuplicateMerger()): CsrRows {
  return merger.merge(csr);
}
