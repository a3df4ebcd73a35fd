/**
 * The update of rows with moments: by the kernel in place where the table and its moments are on the heap. Rows in host
 * memory are copied to scratch on the heap for the same kernel, a block that stays in the cache at a time, so that the
 * result has the same bits wherever a table is.
 */
import {
  gatherTableRows,
  scatterTableRows,
  type Indices,
  type Matrix,
  type MomentUpdate,
  type RowTable,
} from '@vastmax/linalg-core';
import { placeOf, rowsOf, type HandleStore } from './handle-store.ts';
import { at, type RowPlace } from './heap-storage.ts';
import type { HeapBlock } from './heap.ts';
import { none, updateNumbers, type Kernels } from './kernels.ts';

const numbersPerBlock = 8192;

export class RowUpdater {
  readonly #store: HandleStore;
  #scratch: HeapBlock | undefined;

  constructor(store: HandleStore) {
    this.#store = store;
  }

  update(
    kernels: Kernels,
    gradient: Matrix,
    indices: Indices,
    table: RowTable,
    moments: readonly RowTable[],
    update: MomentUpdate,
  ): void {
    const { count } = indices;
    const { columns } = table;
    const [first, second = first] = moments;
    if (first === undefined || second === undefined || count === 0 || columns === 0) return;
    const place = placeOf(table);
    const firstPlace = placeOf(first);
    const secondPlace = placeOf(second);
    if (place !== undefined && firstPlace !== undefined && secondPlace !== undefined)
      run(kernels, update, at(gradient), at(indices), count, columns, place, firstPlace.offset, secondPlace.offset);
    else this.#updateThroughScratch(kernels, gradient, indices, [table, ...moments], update);
  }

  #updateThroughScratch(
    kernels: Kernels,
    gradient: Matrix,
    { values, count }: Indices,
    tables: readonly RowTable[],
    update: MomentUpdate,
  ): void {
    const { columns } = gradient;
    const rowsPerBlock = Math.max(1, Math.floor(numbersPerBlock / columns));
    const length = rowsPerBlock * columns;
    const bytes = 4 * length * tables.length;
    this.#scratch = this.#store.grown(this.#scratch, bytes, 'updateRows: the scratch for rows in host memory');
    const { offset } = this.#scratch;
    const { floats } = this.#store.heap;
    for (let block = 0; block < count; block += rowsPerBlock) {
      const rows = Math.min(rowsPerBlock, count - block);
      const list = values.subarray(block, block + rows);
      for (const [index, table] of tables.entries())
        gatherTableRows(rowsOf(table), list, rows, floats, (offset >>> 2) + index * length);
      const place = { offset, shift: -1 };
      const first = offset + 4 * length;
      const last = offset + 4 * length * (tables.length - 1);
      run(kernels, update, at(gradient) + 4 * block * columns, none, rows, columns, place, first, last);
      for (const [index, table] of tables.entries())
        scatterTableRows(floats, (offset >>> 2) + index * length, list, rows, rowsOf(table));
    }
  }
}

function run(
  kernels: Kernels,
  update: MomentUpdate,
  gradient: number,
  indices: number,
  count: number,
  columns: number,
  { offset, shift }: RowPlace,
  first: number,
  second: number,
): void {
  let rate = update.learningRate;
  let decay = 0;
  let secondDecay = 0;
  let correction = 1;
  if (update.rule === 'momentum') decay = 1 - update.momentum;
  else if (update.rule === 'adam') {
    const { beta1, beta2, step } = update;
    rate /= 1 - beta1 ** step;
    decay = 1 - beta1;
    secondDecay = 1 - beta2;
    correction = 1 / (1 - beta2 ** step);
  }
  kernels.updateRows(
    updateNumbers[update.rule],
    gradient,
    indices,
    count,
    columns,
    shift,
    offset,
    first,
    second,
    rate,
    decay,
    secondDecay,
    correction,
    update.rule === 'momentum' ? 0 : update.epsilon,
  );
}
