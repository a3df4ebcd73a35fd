import { SparseDataError, show } from '../errors.ts';
import { mix32 } from '../random/random.ts';

/**
 * Compressed sparse rows: row r holds entries offsets[r] to offsets[r + 1] (exclusive) of `indices` and `values`.
 * Sparse targets are such rows (one row per example, with its classes and weights); so are sparse inputs.
 *
 * `offsets` has rows + 1 entries. `indices` and `values` may be longer than offsets[rows]: only the first offsets[rows]
 * entries count, so that a buffer can be reused. A row may be empty, and may contain an index twice (their weights are
 * then added).
 */
export interface CsrRows {
  readonly rows: number;
  readonly columns: number;
  readonly offsets: Int32Array;
  /** Column of each entry, in [0, columns). */
  readonly indices: Int32Array;
  /** Value of each entry; undefined means that all are 1. */
  readonly values: Float32Array | Float64Array | undefined;
}

/**
 * Wraps the given arrays (no copy) after checking them. Cost: one pass over the entries.
 * @throws SparseDataError as validateCsrRows.
 */
export function createCsrRows(
  rows: number,
  columns: number,
  offsets: Int32Array,
  indices: Int32Array,
  values?: Float32Array | Float64Array,
): CsrRows {
  const csr: CsrRows = { rows, columns, offsets, indices, values };
  validateCsrRows(csr);
  return csr;
}

/**
 * Checks all properties of CsrRows. Cost: one pass over the entries, no allocation.
 * @param name name of these rows in error messages.
 * @throws SparseDataError `shape` for wrong types, lengths or offsets, `index-out-of-range` and `non-finite-value` for
 * an entry.
 */
export function validateCsrRows(csr: CsrRows, name = 'csr'): void {
  checkShape(csr, name);
  const { rows, columns, offsets, indices, values } = csr;
  for (let row = 0; row < rows; row++) {
    const start = offsets[row]!;
    const end = offsets[row + 1]!;
    for (let entry = start; entry < end; entry++) {
      const index = indices[entry]!;
      if (index < 0 || index >= columns) {
        throw new SparseDataError(
          'index-out-of-range',
          `${name}: row ${row}, position ${entry - start}: index is ${index}, but there are ${columns} columns; indices are 0..${columns - 1}`,
        );
      }
      if (values !== undefined && !Number.isFinite(values[entry])) {
        throw new SparseDataError(
          'non-finite-value',
          `${name}: row ${row}, position ${entry - start} (index ${index}): value is ${String(values[entry])}; values must be finite`,
        );
      }
    }
  }
}

function checkShape(csr: CsrRows, name: string): void {
  const { rows, columns, offsets, indices, values } = csr;
  if (!Number.isSafeInteger(rows) || rows < 0)
    throw shape(`${name}: rows is ${show(rows)}; an integer of at least 0 is needed`);
  if (!Number.isSafeInteger(columns) || columns < 0)
    throw shape(`${name}: columns is ${show(columns)}; an integer of at least 0 is needed`);
  if (!(offsets instanceof Int32Array))
    throw shape(`${name}: offsets is ${show(offsets)}; an Int32Array of rows + 1 = ${rows + 1} is needed`);
  if (!(indices instanceof Int32Array)) throw shape(`${name}: indices is ${show(indices)}; an Int32Array is needed`);
  if (values !== undefined && !(values instanceof Float32Array || values instanceof Float64Array)) {
    throw shape(`${name}: values is ${show(values)}; a Float32Array, a Float64Array or undefined (all ones) is needed`);
  }
  if (offsets.length !== rows + 1)
    throw shape(`${name}: offsets has ${offsets.length} entries for ${rows} rows; it needs ${rows + 1}`);
  if (offsets[0] !== 0) throw shape(`${name}: offsets start at ${String(offsets[0])}; they must start at 0`);
  for (let row = 0; row < rows; row++) {
    const start = offsets[row]!;
    const end = offsets[row + 1]!;
    if (end < start) throw shape(`${name}: row ${row}: offsets fall from ${start} to ${end}; they must not decrease`);
  }
  const entries = offsets[rows]!;
  if (entries > indices.length)
    throw shape(
      `${name}: offsets end at ${entries}, but indices has ${indices.length} entries; it needs at least ${entries}`,
    );
  if (values !== undefined && entries > values.length) {
    throw shape(
      `${name}: offsets end at ${entries}, but values has ${values.length} entries; it needs at least ${entries}`,
    );
  }
}

/**
 * One target of weight 1 per row: row r has class classes[r]. Wraps `classes` (no copy); the classes are checked.
 * @param count the number of `classes` to use, from the first.
 */
export function singleTargets(classes: Int32Array, columns: number, count: number = classes.length): CsrRows {
  if (!Number.isSafeInteger(count) || count < 0 || count > classes.length) {
    throw shape(
      `singleTargets: count is ${show(count)}, but there are ${classes.length} classes; it must be 0..${classes.length}`,
    );
  }
  const offsets = new Int32Array(count + 1);
  for (let row = 0; row <= count; row++) offsets[row] = row;
  return createCsrRows(count, columns, offsets, classes);
}

/**
 * Rows from nested lists: lists[r] are the indices of row r, weights[r] their values (default: all 1).
 * @throws SparseDataError `shape` if weights do not match lists, otherwise as validateCsrRows.
 */
export function csrFromLists(
  lists: readonly (readonly number[])[],
  columns: number,
  weights?: readonly (readonly number[])[],
): CsrRows {
  if (weights !== undefined && weights.length !== lists.length) {
    throw shape(`csrFromLists: weights has ${weights.length} rows, lists has ${lists.length}; they must be equal`);
  }
  const entries = lists.reduce((sum, list) => sum + list.length, 0);
  const offsets = new Int32Array(lists.length + 1);
  const indices = new Int32Array(entries);
  const values = weights === undefined ? undefined : new Float64Array(entries);
  let entry = 0;
  lists.forEach((list, row) => {
    const rowWeights = weights?.[row];
    if (rowWeights !== undefined && rowWeights.length !== list.length) {
      throw shape(
        `csrFromLists: row ${row} has ${list.length} indices but ${rowWeights.length} weights; they must be equal`,
      );
    }
    list.forEach((index, position) => {
      // Checked before the Int32Array truncates it: 1.5 or 2 ** 32 must not become another class.
      if (!Number.isSafeInteger(index) || index < 0 || index >= columns) {
        throw new SparseDataError(
          'index-out-of-range',
          `csrFromLists: row ${row}, position ${position}: index is ${show(index)}, but there are ${columns} columns; indices are integers 0..${columns - 1}`,
        );
      }
      indices[entry] = index;
      if (values !== undefined) values[entry] = rowWeights?.[position] ?? Number.NaN;
      entry++;
    });
    offsets[row + 1] = entry;
  });
  const csr: CsrRows = { rows: lists.length, columns, offsets, indices, values };
  validateCsrRows(csr, 'csrFromLists');
  return csr;
}

function shape(message: string): SparseDataError {
  return new SparseDataError('shape', message);
}

// The distinct values of a list of indices, numbered in order of first appearance: which rows of a table a minibatch
// touches.
//
// No array of D entries is allowed here: an index can be 10^7 while the list has a hundred entries. An open-addressed
// hash table of at least twice the length of the list is used. Its entries are marked with the number of the list, so
// the table need not be cleared.

/** Numbers the distinct indices of a list. Its buffers are reused, so a training loop should keep one object. */
export class DistinctIndices {
  /** The distinct indices of the current list, by slot; the first `count` are valid. */
  values: Int32Array = new Int32Array(0);
  count = 0;
  #slots = new Int32Array(0);
  #marks = new Int32Array(0);
  #mark = 0;

  /** Begins a new list of at most `length` indices. Allocates only if `length` is the largest so far. */
  begin(length: number): void {
    this.count = 0;
    if (this.values.length < length) {
      const capacity = 2 ** Math.ceil(Math.log2(2 * length));
      this.values = new Int32Array(capacity / 2);
      this.#slots = new Int32Array(capacity);
      this.#marks = new Int32Array(capacity);
      this.#mark = 0;
    }
    if (this.#mark === 0x7fffffff) {
      this.#marks.fill(0);
      this.#mark = 0;
    }
    this.#mark++;
  }

  /** The slot of `index`, a new one (the old `count`) at its first appearance. O(1) expected. */
  slotOf(index: number): number {
    const mask = this.#slots.length - 1;
    let place = mix32(index) & mask;
    for (;;) {
      if (this.#marks[place] !== this.#mark) {
        this.#marks[place] = this.#mark;
        this.#slots[place] = this.count;
        this.values[this.count] = index;
        return this.count++;
      }
      const slot = this.#slots[place]!;
      if (this.values[slot] === index) return slot;
      place = (place + 1) & mask;
    }
  }
}
