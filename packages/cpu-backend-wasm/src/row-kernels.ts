/**
 * The row kernels: rows of matrices and of tables on the heap are read and changed where they are. Those of a table in
 * host memory are copied, or added by a loop over arrays with the same roundings, so that results have the same bits
 * wherever a table is.
 */
import {
  addTableRows,
  gatherTableRows,
  isMatrix,
  scatterTableRows,
  type Indices,
  type Matrix,
  type RowTable,
} from '@vastmax/linalg-core';
import { hostRowsOf, placeOf, rowsOf, type HandleStore } from './handle-store.ts';
import { at, matrixView, type RowPlace } from './heap-storage.ts';
import type { HeapBlock } from './heap.ts';
import { none, type Kernels } from './kernels.ts';

/** Where the kernels find ranges of rows: a RowPlace, how many rows there are, and the offset of the starts. */
interface RangePlace extends RowPlace {
  readonly rows: number;
  readonly starts: number;
  /** Whether the rows are copies, to be put back when they have changed. */
  readonly isCopy: boolean;
}

export class RowKernels {
  readonly #store: HandleStore;
  /** For the rows of each operand of `dot` in host memory. */
  readonly #gathered: (HeapBlock | undefined)[] = [undefined, undefined];

  /** For ranges of rows in host memory: the rows, where each range begins among them, and their numbers. */
  #ranges: HeapBlock | undefined;
  #starts: HeapBlock | undefined;
  #copiedRows: Int32Array = new Int32Array(0);

  constructor(store: HandleStore) {
    this.#store = store;
  }

  gather(kernels: Kernels, source: Matrix | RowTable, indices: Indices, out: Matrix): void {
    const place = placeOf(source);
    const { count } = indices;
    if (place !== undefined) kernels.gatherRows(place.offset, place.shift, at(indices), count, out.columns, at(out));
    else if (!isMatrix(source))
      gatherTableRows(rowsOf(source), indices.values, count, this.#store.heap.floats, at(out) >>> 2);
  }

  scatter(kernels: Kernels, source: Matrix, indices: Indices, destination: Matrix | RowTable): void {
    const place = placeOf(destination);
    const { count } = indices;
    if (place !== undefined)
      kernels.scatterRows(at(source), at(indices), count, source.columns, place.offset, place.shift);
    else if (!isMatrix(destination))
      scatterTableRows(this.#store.heap.floats, at(source) >>> 2, indices.values, count, rowsOf(destination));
  }

  /** @param sourceIndices undefined for the rows of a matrix in their order */
  add(
    kernels: Kernels,
    outIndices: Indices,
    sourceIndices: Indices | undefined,
    values: Matrix | undefined,
    source: Matrix | RowTable,
    scale: number,
    out: Matrix | RowTable,
  ): void {
    const from = placeOf(source);
    const to = placeOf(out);
    if (from === undefined || to === undefined) {
      const rows = {
        outIndices: outIndices.values,
        count: outIndices.count,
        sourceIndices: sourceIndices?.values,
        values: values === undefined ? undefined : matrixView(values),
        scale,
        isSingle: true,
      };
      addTableRows(rows, hostRowsOf(source), hostRowsOf(out));
      return;
    }
    kernels.addRows(
      from.offset,
      from.shift,
      sourceIndices === undefined ? none : at(sourceIndices),
      values === undefined ? none : at(values),
      scale,
      outIndices.count,
      out.columns,
      to.offset,
      to.shift,
      at(outIndices),
    );
  }

  dot(
    kernels: Kernels,
    a: Matrix | RowTable,
    aIndices: Indices,
    b: Matrix | RowTable,
    bIndices: Indices,
    out: Matrix,
  ): void {
    const placeA = placeOf(a) ?? this.#copied(0, a, aIndices);
    const placeB = placeOf(b) ?? this.#copied(1, b, bIndices);
    kernels.gatheredRowDot(
      placeA.offset,
      placeA.shift,
      placeOf(a) === undefined ? none : at(aIndices),
      placeB.offset,
      placeB.shift,
      placeOf(b) === undefined ? none : at(bIndices),
      out.rows,
      a.columns,
      at(out),
    );
  }

  /**
   * Of a table in host memory the rows go through scratch on the heap. False, with nothing done, where a range of such a
   * table ends beyond it; as the two below.
   */
  exponentiateRanges(
    kernels: Kernels,
    table: RowTable,
    starts: Indices,
    source: Matrix,
    sourceIndices: Indices,
    out: Matrix,
    maxima: Matrix,
    sums: Matrix,
  ): boolean {
    const ranges = this.#rangesOf(table, starts, out.columns);
    if (ranges === undefined) return false;
    kernels.exponentiateRanges(
      ranges.offset,
      ranges.shift,
      ranges.rows,
      ranges.starts,
      at(source),
      at(sourceIndices),
      out.rows,
      out.columns,
      table.columns,
      at(out),
      at(maxima),
      at(sums),
    );
    return true;
  }

  combineRanges(kernels: Kernels, table: RowTable, starts: Indices, factors: Matrix, out: Matrix): boolean {
    const { rows, columns } = factors;
    const ranges = this.#rangesOf(table, starts, columns);
    if (ranges === undefined) return false;
    kernels.combineRanges(
      ranges.offset,
      ranges.shift,
      ranges.rows,
      ranges.starts,
      at(factors),
      rows,
      columns,
      table.columns,
      at(out),
    );
    return true;
  }

  updateRanges(
    kernels: Kernels,
    factors: Matrix,
    source: Matrix,
    sourceIndices: Indices,
    starts: Indices,
    scale: number,
    out: Matrix | RowTable,
  ): boolean {
    const ranges = this.#rangesOf(out, starts, factors.columns);
    if (ranges === undefined) return false;
    kernels.updateRanges(
      at(factors),
      at(source),
      at(sourceIndices),
      ranges.starts,
      factors.rows,
      factors.columns,
      out.columns,
      scale,
      ranges.offset,
      ranges.shift,
      ranges.rows,
    );
    if (ranges.isCopy && !isMatrix(out)) {
      scatterTableRows(this.#store.heap.floats, ranges.offset >>> 2, this.#copiedRows, ranges.rows, rowsOf(out));
    }
    return true;
  }

  /** False, with nothing done, where one of the tables is in host memory. */
  quantize(
    kernels: Kernels,
    source: RowTable,
    firstRow: number,
    count: number,
    codes: RowTable,
    factors: RowTable,
  ): boolean {
    const from = placeOf(source);
    const to = placeOf(codes);
    const beside = placeOf(factors);
    if (from === undefined || to === undefined || beside === undefined) return false;
    kernels.quantizeRows(
      from.offset,
      from.shift,
      firstRow,
      count,
      source.columns,
      to.offset,
      to.shift,
      4 * codes.columns,
      beside.offset,
      beside.shift,
    );
    return true;
  }

  /** Where the kernels find ranges of n rows; undefined for a table in host memory that has not all of them. */
  #rangesOf(table: Matrix | RowTable, starts: Indices, n: number): RangePlace | undefined {
    const place = placeOf(table);
    if (place !== undefined)
      return { offset: place.offset, shift: place.shift, rows: table.rows, starts: at(starts), isCopy: false };
    if (isMatrix(table) || starts.maximum + n > table.rows) return undefined;
    const { values, count } = starts;
    const needed = count * n;
    if (this.#copiedRows.length < needed) this.#copiedRows = new Int32Array(Math.ceil(needed * 1.5));
    const what = 'the scratch for ranges of rows in host memory';
    this.#ranges = this.#store.grown(this.#ranges, 4 * needed * table.columns, what);
    this.#starts = this.#store.grown(this.#starts, 4 * count, what);
    const { floats, integers } = this.#store.heap;
    let rows = 0;
    for (let range = 0; range < count; range++) {
      // Equal ranges that follow one another are copied once.
      if (range === 0 || values[range] !== values[range - 1])
        for (let j = 0; j < n; j++) this.#copiedRows[rows++] = values[range]! + j;
      integers[(this.#starts.offset >>> 2) + range] = rows - n;
    }
    gatherTableRows(rowsOf(table), this.#copiedRows, rows, floats, this.#ranges.offset >>> 2);
    return { offset: this.#ranges.offset, shift: -1, rows, starts: this.#starts.offset, isCopy: true };
  }

  /** The listed rows of a table in host memory, one after the other on the heap. */
  #copied(operand: 0 | 1, table: Matrix | RowTable, { values, count }: Indices): RowPlace {
    const bytes = 4 * count * table.columns;
    const block = this.#store.grown(
      this.#gathered[operand],
      bytes,
      'gatheredRowDot: the scratch for rows in host memory',
    );
    this.#gathered[operand] = block;
    if (!isMatrix(table)) gatherTableRows(rowsOf(table), values, count, this.#store.heap.floats, block.offset >>> 2);
    return { offset: block.offset, shift: -1 };
  }
}
