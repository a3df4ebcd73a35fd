import type { CsrRows } from './csr-rows.ts';
import { enlarged } from './enlarged.ts';

/** Builds sparse rows one after the other, such as a minibatch, in arrays that are reused. */
export class CsrBuffer {
  readonly columns: number;
  #rows = 0;
  #entries = 0;
  #offsets = new Int32Array(64);
  #indices = new Int32Array(256);
  #values: Float64Array | undefined;
  readonly #isWeightedIfNeeded: boolean;

  /**
   * @param options.weighted false stores no values: all entries are 1. `if-needed` stores none until a value is not 1.
   */
  constructor(columns: number, options: { readonly weighted: boolean | 'if-needed' }) {
    this.columns = columns;
    this.#values = options.weighted === true ? new Float64Array(256) : undefined;
    this.#isWeightedIfNeeded = options.weighted === 'if-needed';
  }

  /** Number of entries in the current row. */
  get rowLength(): number {
    return this.#entries - this.#offsets[this.#rows]!;
  }

  /** Removes all rows. Later calls overwrite what rows() has returned. */
  clear(): void {
    this.#rows = 0;
    this.#entries = 0;
  }

  /** Adds an entry to the current row. The index is not checked. */
  add(index: number, value = 1): void {
    const entry = this.#entries++;
    if (entry === this.#indices.length) this.#grow();
    this.#indices[entry] = index;
    if (this.#values !== undefined) this.#values[entry] = value;
    else if (value !== 1 && this.#isWeightedIfNeeded) {
      this.#values = new Float64Array(this.#indices.length).fill(1, 0, entry);
      this.#values[entry] = value;
    }
  }

  endRow(): void {
    this.#rows++;
    if (this.#rows === this.#offsets.length) this.#offsets = enlarged(this.#offsets, new Int32Array(2 * this.#rows));
    this.#offsets[this.#rows] = this.#entries;
  }

  /** Scales the values of the current row to a sum of 1; a row with a sum of 0 or less is not changed. */
  normalizeRow(): void {
    const values = this.#values;
    if (values === undefined) return;
    const start = this.#offsets[this.#rows]!;
    let total = 0;
    for (let entry = start; entry < this.#entries; entry++) total += values[entry]!;
    if (!(total > 0)) return;
    for (let entry = start; entry < this.#entries; entry++) values[entry] = values[entry]! / total;
  }

  /** Multiplies the values of the current row by the factors of their columns. */
  scaleRow(factors: ArrayLike<number>): void {
    const values = this.#values;
    if (values === undefined) return;
    for (let entry = this.#offsets[this.#rows]!; entry < this.#entries; entry++)
      values[entry] = values[entry]! * factors[this.#indices[entry]!]!;
  }

  /** The completed rows, as views of the buffer's arrays. */
  rows(): CsrRows {
    return {
      rows: this.#rows,
      columns: this.columns,
      offsets: this.#offsets.subarray(0, this.#rows + 1),
      indices: this.#indices.subarray(0, this.#entries),
      values: this.#values?.subarray(0, this.#entries),
    };
  }

  #grow(): void {
    const length = 2 * this.#indices.length;
    this.#indices = enlarged(this.#indices, new Int32Array(length));
    if (this.#values !== undefined) this.#values = enlarged(this.#values, new Float64Array(length));
  }
}
