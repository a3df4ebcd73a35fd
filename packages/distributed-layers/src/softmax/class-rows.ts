/**
 * The rows of W of all ranks, addressed by class number, for scoring; each rank stores its part (row-partition.ts).
 * Synchronous collectives: the backend must support synchronous reads.
 */
import type { Communicator } from '@vastmax/collectives';
import {
  createHostArray,
  gatherRows,
  readSync,
  write,
  type FloatArray,
  type Matrix,
  type RowTable,
  type Workspace,
} from '@vastmax/linalg-core';
import { RangeGather } from '../rows/range-gather.ts';
import { RowExchange } from '../rows/row-exchange.ts';
import { type RowPartition } from '../rows/row-partition.ts';

export class ClassRows {
  readonly #table: RowTable;
  readonly #workspace: Workspace;
  readonly #exchange: RowExchange;
  readonly #range: RangeGather;
  #own: FloatArray;
  #all: FloatArray;

  constructor(communicator: Communicator, partition: RowPartition, table: RowTable, workspace: Workspace) {
    this.#table = table;
    this.#workspace = workspace;
    this.#exchange = new RowExchange(communicator, partition);
    this.#range = new RangeGather(communicator, table.backend, partition);
    this.#own = createHostArray(table.backend, 0);
    this.#all = this.#own;
  }

  /** Rows of this rank, in its own numbering. */
  own(first: number, count: number, name: string): Matrix {
    const range = Int32Array.from({ length: count }, (_, i) => first + i);
    const rows = this.#workspace.matrix(name, count, this.#table.columns);
    gatherRows(this.#table, this.#workspace.indices(`${name} range`, range), rows);
    return rows;
  }

  /** Gathers classes `first` … of all ranks. Moves count·width numbers. @param out count×width. */
  range(first: number, out: Matrix): void {
    const { columns: width, rows: count } = out;
    const own = this.#range.ownRange(first, count);
    readSync(this.own(own.first, own.count, 'own class rows'), this.#range.host(count, width));
    this.#range.gather(first, out);
  }

  /** Fetches the rows of this rank's own list of classes. @param out classes.length×width. */
  gather(classes: Int32Array, out: Matrix): void {
    const { columns: width } = out;
    this.#exchange.sort(classes, classes.length);
    this.#exchange.exchangeCounts();
    this.#exchange.exchangeRows();
    const { ownedCount: owned, ownedRows } = this.#exchange;
    this.#reserve(owned * width, classes.length * width);
    const rows = this.#workspace.matrix('requested class rows', owned, width);
    gatherRows(this.#table, this.#workspace.indices('requested classes', ownedRows, owned), rows);
    readSync(rows, this.#own);
    this.#exchange.fetch(this.#own, width, this.#all);
    write(this.#all.subarray(0, classes.length * width), out);
  }

  #reserve(own: number, all: number): void {
    if (this.#own.length < own) this.#own = createHostArray(this.#table.backend, Math.ceil(own * 1.5));
    if (this.#all.length < all) this.#all = createHostArray(this.#table.backend, Math.ceil(all * 1.5));
  }
}
