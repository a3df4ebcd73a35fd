/**
 * The rows that are searched, and what bounds their products: for each block of rows the greatest length and bias, for
 * each row its form in 8 bits where the backend has kernels for it. A slot is a place in the table; the index of a
 * vector is its number for the caller.
 */
import {
  codeColumns,
  createHostArray,
  gatherRows,
  growTable,
  quantizeRows,
  read,
  readRows,
  type Backend,
  type FloatArray,
  type RowTable,
  type Workspace,
} from '@vastmax/linalg-core';
import { TopKError } from './errors.ts';

export const rowsPerBlock = 1024;

/** Not below the true length. */
const raised = 1 + 1e-12;

export class IndexedRows implements Disposable {
  readonly backend: Backend;
  readonly table: RowTable;
  /** In 8 bits: codes, and scales with distances; undefined where the backend has no kernels for them. */
  readonly coded: { readonly codes: RowTable; readonly factors: RowTable } | undefined;
  /** Greatest length in each block. */
  norms: Float64Array = new Float64Array(0);
  /** Greatest bias in each block. */
  maxBiases: Float64Array = new Float64Array(0);
  /** Of each slot; undefined for none. */
  biases: Float64Array | undefined;
  /** 1 for a slot whose vector is there. */
  present: Uint8Array = new Uint8Array(0);
  /** The index of each slot; undefined where they are the same. */
  indices: Int32Array | undefined;
  /** Slots in use. */
  count = 0;
  #isCoded: boolean;

  constructor(table: RowTable) {
    const { backend, rows, columns } = table;
    this.backend = backend;
    this.table = table;
    this.#isCoded = backend.quantizeRows !== undefined && backend.quantizedProducts !== undefined;
    if (!this.#isCoded) return;
    const codes = backend.createTable(rows, codeColumns(columns));
    this.coded = { codes, factors: backend.createTable(rows, 2) };
    // A table that the kernels cannot reach.
    this.#isCoded = quantizeRows(table, 0, 0, this.coded.codes, this.coded.factors);
  }

  get width(): number {
    return this.table.columns;
  }

  /** Whether all rows in use have codes. */
  get isCoded(): boolean {
    return this.#isCoded;
  }

  indexOf(slot: number): number {
    return this.indices === undefined ? slot : this.indices[slot]!;
  }

  /** Takes the slots from `count` to `count + added − 1` into use, at their rows in the table as they are now. */
  async append(added: number): Promise<void> {
    const first = this.count;
    const end = first + added;
    const { coded } = this;
    if (coded !== undefined) for (const table of [coded.codes, coded.factors]) growTable(table, this.table.rows);
    this.norms = enlarged(this.norms, Math.ceil(end / rowsPerBlock));
    this.maxBiases = enlarged(this.maxBiases, this.norms.length);
    this.maxBiases.fill(-Infinity, Math.ceil(first / rowsPerBlock));
    if (this.biases !== undefined) this.biases = enlarged(this.biases, end);
    this.present = enlarged(this.present, end);
    const rowsAtOnce = 8 * rowsPerBlock;
    const host = createHostArray(this.backend, Math.min(added, rowsAtOnce) * this.width);
    for (let row = first; row < end; row += rowsAtOnce) {
      const rows = Math.min(rowsAtOnce, end - row);
      await readRows(this.table, row, rows, host);
      for (let i = 0; i < rows; i++) this.#measure(row + i, host, i);
    }
    this.present.fill(1, first, end);
    this.count = end;
    if (coded !== undefined && this.#isCoded)
      this.#isCoded = quantizeRows(this.table, first, added, coded.codes, coded.factors);
  }

  /** After a change of the rows of `slots` in the table. */
  async refresh(slots: Int32Array, workspace: Workspace): Promise<void> {
    for (let first = 0; first < slots.length; first += rowsPerBlock) {
      const part = slots.subarray(first, first + rowsPerBlock);
      const rows = workspace.matrix('refreshed', part.length, this.width);
      gatherRows(this.table, workspace.indices('refreshed slots', part), rows);
      const host = await read(rows);
      for (const [i, slot] of part.entries()) {
        this.#measure(slot, host, i);
        if (this.coded !== undefined && this.#isCoded)
          this.#isCoded = quantizeRows(this.table, slot, 1, this.coded.codes, this.coded.factors);
      }
    }
  }

  /**
   * @param known whether other slots in use have biases: 0 where none was set. False while all of them are being set.
   */
  setBias(slot: number, bias: number, known: boolean): void {
    if (this.biases === undefined) {
      this.biases = new Float64Array(this.count);
      if (known) this.maxBiases.fill(0);
    }
    const block = Math.floor(slot / rowsPerBlock);
    this.biases[slot] = bias;
    this.maxBiases[block] = Math.max(this.maxBiases[block]!, bias);
  }

  /** Raises the greatest length of the block; a change for the shorter leaves it. */
  #measure(slot: number, host: FloatArray, row: number): void {
    const { width } = this;
    let sum = 0;
    for (let j = row * width, end = j + width; j < end; j++) sum += host[j]! * host[j]!;
    const norm = Math.sqrt(sum) * raised;
    if (!Number.isFinite(norm)) {
      throw new TopKError('non-finite', `vector ${this.indexOf(slot)} has a number that is NaN or infinite`);
    }
    const block = Math.floor(slot / rowsPerBlock);
    if (norm > this.norms[block]!) this.norms[block] = norm;
  }

  /** The codes; not the table, which is its creator's. */
  [Symbol.dispose](): void {
    this.coded?.codes[Symbol.dispose]();
    this.coded?.factors[Symbol.dispose]();
  }
}

/** A copy with room for at least `length`, zeros at its end; the array itself where it is long enough. */
export function enlarged<Values extends Float64Array | Uint8Array | Int32Array>(
  values: Values,
  length: number,
): Values {
  if (values.length >= length) return values;
  const copy = new (values.constructor as new (length: number) => Values)(Math.ceil(length * 1.25));
  copy.set(values as never);
  return copy;
}
