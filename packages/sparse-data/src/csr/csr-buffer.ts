import type { CsrRows } from './csr-rows.ts';

/** Rows that are written one after the other into arrays that are kept: a minibatch of sparse rows. */
export class CsrBuffer {
  readonly columns: number;
  #rows = 0;
  #entries = 0;
  #offsets = new Int32Array(64);
  #indices = new Int32Array(256);
  #values: Float64Array | undefined;

  /** @param options.weighted false leaves the values away: all entries are 1. */
  constructor(columns: number, options: { readonly weighted: boolean }) {
    this.columns = columns;
    this.#values = options.weighted ? new Float64Array(256) : undefined;
  }

  /** Entries of the row under way. */
  get rowLength(): number {
    return this.#entries - this.#offsets[this.#rows]!;
  }

  /** Begin again with no rows; what rows() returned before is overwritten from here on. */
  clear(): void {
    this.#rows = 0;
    this.#entries = 0;
  }

  /** An entry of the row under way. The index is not checked. */
  add(index: number, value = 1): void {
    const entry = this.#entries++;
    if (entry === this.#indices.length) this.#grow();
    this.#indices[entry] = index;
    if (this.#values !== undefined) this.#values[entry] = value;
  }

  endRow(): void {
    this.#rows++;
    if (this.#rows === this.#offsets.length) this.#offsets = enlarged(this.#offsets, new Int32Array(2 * this.#rows));
    this.#offsets[this.#rows] = this.#entries;
  }

  /** Scale the row under way so that its values add up to 1; a row that adds up to 0 or less is left as it is. */
  normalizeRow(): void {
    const values = this.#values;
    if (values === undefined) return;
    const start = this.#offsets[this.#rows]!;
    let total = 0;
    for (let entry = start; entry < this.#entries; entry++) total += values[entry]!;
    if (!(total > 0)) return;
    for (let entry = start; entry < this.#entries; entry++) values[entry] = values[entry]! / total;
  }

  /** The rows ended so far, over the buffer's own arrays. */
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

function enlarged<Numbers extends Int32Array | Float64Array>(old: Numbers, larger: Numbers): Numbers {
  larger.set(old);
  return larger;
}
