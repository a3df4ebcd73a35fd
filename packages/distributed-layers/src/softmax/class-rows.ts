/**
 * The rows of W of all ranks by their own numbers, for scoring, each rank keeping its part (row-partition.ts).
 * Collectives, without waiting.
 */
import {
  createHostArray,
  gatherRows,
  write,
  type FloatArray,
  type Matrix,
  type RowTable,
  type Workspace,
} from '@vastmax/linalg-core';
import type { Communicator } from '@vastmax/collectives';
import { readNow } from '../factored/read-now.ts';
import { RowExchange } from '../rows/row-exchange.ts';
import { firstLocalAt, ownedCount, rowOf, type RowPartition } from '../rows/row-partition.ts';

export class ClassRows {
  readonly #communicator: Communicator;
  readonly #partition: RowPartition;
  readonly #table: RowTable;
  readonly #workspace: Workspace;
  readonly #exchange: RowExchange;
  #own: FloatArray;
  #all: FloatArray;

  constructor(communicator: Communicator, partition: RowPartition, table: RowTable, workspace: Workspace) {
    this.#communicator = communicator;
    this.#partition = partition;
    this.#table = table;
    this.#workspace = workspace;
    this.#exchange = new RowExchange(communicator, partition);
    this.#own = createHostArray(table.backend, 0);
    this.#all = this.#own;
  }

  /** Rows of this rank, as it numbers them. */
  own(first: number, count: number, name: string): Matrix {
    const range = Int32Array.from({ length: count }, (_, i) => first + i);
    const rows = this.#workspace.matrix(name, count, this.#table.columns);
    gatherRows(this.#table, this.#workspace.indices(`${name} range`, range), rows);
    return rows;
  }

  /** Classes `first` … of all ranks. Moves count·width numbers. @param out count×width. */
  range(first: number, out: Matrix): void {
    const { rank, size } = this.#communicator;
    const { columns: width, rows: count } = out;
    const mine = ownedCount(this.#partition, rank, first, count);
    this.#reserve(count * width, 2 * count * width);
    readNow(this.own(firstLocalAt(this.#partition, rank, first), mine, 'own class rows'), this.#own);
    const counts = Int32Array.from(
      { length: size },
      (_, other) => width * ownedCount(this.#partition, other, first, count),
    );
    const gathered = this.#all.subarray(count * width);
    this.#communicator.allGather(this.#own.subarray(0, mine * width), counts, gathered);
    for (let other = 0, place = 0; other < size; other++) {
      const firstLocal = firstLocalAt(this.#partition, other, first);
      for (let i = 0; i < counts[other]! / width; i++, place += width) {
        this.#all.set(
          gathered.subarray(place, place + width),
          (rowOf(this.#partition, other, firstLocal + i) - first) * width,
        );
      }
    }
    write(this.#all.subarray(0, count * width), out);
  }

  /** The rows of this rank's own list of classes. @param out classes.length×width. */
  gather(classes: Int32Array, out: Matrix): void {
    const { columns: width } = out;
    this.#exchange.sort(classes, classes.length);
    this.#exchange.exchangeCounts();
    this.#exchange.exchangeRows();
    const { ownedCount: owned, ownedRows } = this.#exchange;
    this.#reserve(owned * width, classes.length * width);
    const rows = this.#workspace.matrix('wanted class rows', owned, width);
    gatherRows(this.#table, this.#workspace.indices('wanted classes', ownedRows, owned), rows);
    readNow(rows, this.#own);
    this.#exchange.fetch(this.#own, width, this.#all);
    write(this.#all.subarray(0, classes.length * width), out);
  }

  #reserve(own: number, all: number): void {
    if (this.#own.length < own) this.#own = createHostArray(this.#table.backend, Math.ceil(own * 1.5));
    if (this.#all.length < all) this.#all = createHostArray(this.#table.backend, Math.ceil(all * 1.5));
  }
}
