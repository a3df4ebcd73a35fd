/**
 * The class constants of a loss that has them: those of all classes on every rank, for the targets, and this rank's
 * own, for scoring its own classes.
 */
import { createHostArray, readRows, writeRows, type Backend, type RowTable } from '@vastmax/linalg-core';
import { appendClassConstants, constantSumOf, createClassConstants, type ClassConstants } from '@vastmax/spherical-losses/factored-parts';
import type { Communicator } from '@vastmax/collectives';
import { ownedCount, rowOf, type RowPartition } from '../rows/row-partition.ts';
import { ownRowsOf } from './own-rows.ts';
import { findTensor, restoreTable, tableTensor, type ModuleState, type TensorSource } from '@vastmax/linalg-core/state';

const name = 'class_constants';

export class UnionConstants implements Disposable {
  readonly #partition: RowPartition;
  readonly #rank: number;
  readonly #ownTable: RowTable;
  #all: ClassConstants;

  /** @throws OutputLayerError `shape` unless there is one for each class. */
  constructor(backend: Backend, values: ArrayLike<number>, partition: RowPartition, rank: number) {
    this.#partition = partition;
    this.#rank = rank;
    this.#all = createClassConstants(backend, values, partition.rows);
    this.#ownTable = backend.createTable(ownedCount(partition, rank), 1);
    writeRows(ownRowsOf(values, 1, 0, partition, rank), 0, this.#ownTable);
  }

  /** Row c is that of class c. */
  get all(): ClassConstants {
    return this.#all;
  }

  /** By the numbers of this rank's rows; the sum is that of all. */
  get own(): ClassConstants {
    return { table: this.#ownTable, sum: this.#all.sum };
  }

  /** Of classes that come after those that there are. */
  append(values: ArrayLike<number>): void {
    const own = ownRowsOf(values, 1, this.#all.table.rows, this.#partition, this.#rank);
    appendClassConstants(this.own, own);
    this.#all = appendClassConstants(this.#all, values);
  }

  /** This rank's part. */
  tensor(): TensorSource {
    return tableTensor(name, this.#ownTable);
  }

  /** @throws StateError `state-mismatch`. */
  check(state: ModuleState): void {
    constantSumOf(state);
    findTensor(state, name, this.#ownTable.rows, 1);
  }

  async restore(state: ModuleState): Promise<void> {
    await restoreTable(state, name, this.#ownTable);
  }

  /** After every rank's `restore`: those of all. A collective, O(D). */
  async share(communicator: Communicator, state: ModuleState): Promise<void> {
    const { table } = this.#all;
    const { backend, rows } = table;
    const partition: RowPartition = { rows, size: communicator.size };
    const counts = Int32Array.from({ length: communicator.size }, (_, rank) => ownedCount(partition, rank));
    const dealt = createHostArray(backend, rows);
    communicator.allGather(await readRows(this.#ownTable, 0, this.#ownTable.rows), counts, dealt);
    const ordered = createHostArray(backend, rows);
    for (let rank = 0, place = 0; rank < communicator.size; rank++) {
      for (let local = 0; local < counts[rank]!; local++) ordered[rowOf(partition, rank, local)] = dealt[place++]!;
    }
    writeRows(ordered, 0, table);
    this.#all = { table, sum: constantSumOf(state) };
  }

  [Symbol.dispose](): void {
    this.#all.table[Symbol.dispose]();
    this.#ownTable[Symbol.dispose]();
  }
}
