/**
 * A table of D rows of which each rank stores its own part: input embeddings, or the output table of a custom layer.
 */
import {
  createHostArray,
  gatherRows,
  LinalgError,
  read,
  scatterAddRows,
  Workspace,
  write,
  writeRows,
  type Backend,
  type FloatArray,
  type RowTable,
} from '@vastmax/linalg-core';
import type { Communicator } from '@vastmax/collectives';
import { RowExchange } from './row-exchange.ts';
import { ownedCount, rowOf, type RowPartition } from './row-partition.ts';

/**
 * A row table shared out over ranks. Rows are fetched from their ranks, and gradients sent back, for all ranks at
 * once.
 */
export class ShardedTable implements Disposable {
  readonly communicator: Communicator;
  readonly backend: Backend;
  readonly partition: RowPartition;
  readonly columns: number;
  /** This rank's own rows: row i of it is row i·size + rank of the whole. */
  readonly own: RowTable;
  readonly #exchange: RowExchange;
  readonly #workspace: Workspace;
  #owned: FloatArray;

  /** Filled with zeros. Memory: rows·columns/size numbers. */
  constructor(communicator: Communicator, backend: Backend, rows: number, columns: number) {
    this.communicator = communicator;
    this.backend = backend;
    this.partition = { rows, size: communicator.size };
    this.columns = columns;
    this.own = backend.createTable(ownedCount(this.partition, communicator.rank), columns);
    this.#exchange = new RowExchange(communicator, this.partition);
    this.#workspace = new Workspace(backend);
    this.#owned = createHostArray(backend, 0);
  }

  get rows(): number {
    return this.partition.rows;
  }

  /**
   * Sets this rank's rows. No collective.
   * @param valuesOf the numbers of one row, `columns` long, by its number in the whole table.
   */
  fill(valuesOf: (row: number) => ArrayLike<number>): void {
    for (let local = 0; local < this.own.rows; local++)
      writeRows(valuesOf(rowOf(this.partition, this.communicator.rank, local)), local, this.own);
  }

  /**
   * Fetches the rows of each rank's own list from their owners. A collective: at most 2·count·columns numbers are
   * moved, whatever D is.
   * @param rows row numbers in the whole table; the first `count` are used.
   * @param out count×columns.
   */
  async gather(rows: Int32Array, count: number, out: FloatArray): Promise<void> {
    this.#route(rows, count);
    const { ownedCount: owned, ownedRows } = this.#exchange;
    const matrix = this.#workspace.matrix('owned rows', owned, this.columns);
    gatherRows(this.own, this.#workspace.indices('owned', ownedRows, owned), matrix);
    this.#reserve(owned * this.columns);
    await read(matrix, this.#owned);
    this.#exchange.fetch(this.#owned, this.columns, out);
  }

  /**
   * table[rows_i] += scale·values_i for every rank's own list. Values of several ranks for one row are added in the
   * order of the ranks. A collective.
   * @param rows row numbers in the whole table; the first `count` are used.
   * @param values count×columns.
   */
  async scatterAdd(rows: Int32Array, count: number, values: FloatArray, scale = 1): Promise<void> {
    this.#route(rows, count);
    const { ownedCount: owned, ownedRows } = this.#exchange;
    this.#reserve(owned * this.columns);
    this.#exchange.reduceToOwners(values, this.columns, this.#owned);
    const matrix = this.#workspace.matrix('owned rows', owned, this.columns);
    write(this.#owned.subarray(0, owned * this.columns), matrix);
    scatterAddRows(matrix, this.#workspace.indices('owned', ownedRows, owned), this.own, { scale });
    await this.backend.synchronize();
  }

  #route(rows: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      if (rows[i]! >= 0 && rows[i]! < this.rows) continue;
      throw new LinalgError(
        'index-out-of-range',
        `ShardedTable: row ${rows[i]!} at position ${i} is not one of 0 to ${this.rows - 1}`,
      );
    }
    this.#exchange.sort(rows, count);
    this.#exchange.exchangeCounts();
    this.#exchange.exchangeRows();
  }

  #reserve(length: number): void {
    if (this.#owned.length < length) this.#owned = createHostArray(this.backend, Math.ceil(length * 1.5));
  }

  [Symbol.dispose](): void {
    this.own[Symbol.dispose]();
    this.#workspace[Symbol.dispose]();
  }
}
