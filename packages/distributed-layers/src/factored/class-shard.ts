/**
 * This rank's part of the classes: which rows of V it starts with, how classes are added, and the class constants of a
 * loss that has them, those of all classes on every rank for the targets, and its own for scoring its own classes.
 */
import { ArrayChecksum, type Communicator } from '@vastmax/collectives';
import {
  createHostArray,
  createMatrixFrom,
  readRows,
  writeRows,
  type Backend,
  type RowTable,
  type Workspace,
} from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import {
  appendClassConstants,
  checkAddedClasses,
  constantSumOf,
  createClassConstants,
  type ClassConstants,
  type FactoredWeights,
} from '@vastmax/spherical-losses/factored-parts';
import { ownedCount, rowOf, type GrowingPartition } from '../rows/row-exchange.ts';
import { localErrorOf, type CollectivePreflight } from './collective-preflight.ts';
import type { DistributedFactoredLayerOptions } from './layer-options.ts';
import { fillOwnRows, ownRowsOf } from './own-rows.ts';

/** What the parts of the layer share. */
export interface RankContext {
  readonly communicator: Communicator;
  readonly backend: Backend;
  readonly preflight: CollectivePreflight;
  readonly options: DistributedFactoredLayerOptions;
  readonly partition: GrowingPartition;
  readonly workspace: Workspace;
  /** This rank's rows, and the replicated matrices. */
  readonly weights: FactoredWeights;
}

export class ClassShard implements Disposable {
  readonly #context: RankContext;
  #all: ClassConstants | undefined;
  #ownTable: RowTable | undefined;

  constructor(context: RankContext) {
    this.#context = context;
  }

  /** Row c is that of class c. */
  get allConstants(): ClassConstants | undefined {
    return this.#all;
  }

  /** By the numbers of this rank's rows; the sum is that of all. */
  get ownConstants(): ClassConstants | undefined {
    if (this.#all === undefined || this.#ownTable === undefined) return undefined;
    return { table: this.#ownTable, sum: this.#all.sum };
  }

  /** The start. No collective. @throws OutputLayerError `shape` unless there is a constant for each class. */
  fill(): void {
    const { backend, communicator, options, partition, weights } = this.#context;
    const { rank } = communicator;
    fillOwnRows(weights.rows, partition, rank, weights.width, options);
    const { classConstants } = options.loss;
    if (classConstants === undefined) return;
    this.#all = createClassConstants(backend, classConstants, partition.rows);
    this.#ownTable = backend.createTable(ownedCount(partition, rank), 1);
    writeRows(ownRowsOf(classConstants, 1, 0, partition, rank), 0, this.#ownTable);
  }

  /**
   * Add classes after those that there are. A collective.
   * @param progress what all ranks must have in common beside.
   * @throws OutputLayerError on every rank when one must refuse or they were given different rows; nothing has changed.
   */
  add(
    values: ArrayLike<number>,
    constants: ArrayLike<number> | undefined,
    progress: Readonly<Record<string, number>>,
  ): void {
    const { backend, communicator, partition, preflight, weights } = this.#context;
    const { rank } = communicator;
    const { width } = weights;
    const { rows: classes } = partition;
    let count = 0;
    const localError = localErrorOf(() => {
      count = checkAddedClasses({ classes, width, hasConstants: this.#all !== undefined }, values, constants);
    });
    const hash = new ArrayChecksum();
    for (const numbers of [values, constants ?? []]) hash.add(Float64Array.from(numbers));
    preflight.begin('addClasses', {
      localError,
      same: {
        ...progress,
        'the number of new classes': count,
        'the checksum of their rows and constants': hash.value,
      },
    });
    using added = createMatrixFrom(backend, count, width, values);
    weights.append(added, classes, ownRowsOf(values, width, classes, partition, rank));
    const { ownConstants } = this;
    if (this.#all !== undefined && ownConstants !== undefined && constants !== undefined) {
      appendClassConstants(ownConstants, ownRowsOf(constants, 1, this.#all.table.rows, partition, rank));
      this.#all = appendClassConstants(this.#all, constants);
    }
    partition.rows += count;
  }

  /** After every rank has restored its own constants: those of all. A collective, O(D). */
  async shareConstants(state: ModuleState): Promise<void> {
    if (this.#all === undefined || this.#ownTable === undefined) return;
    const { backend, communicator, partition } = this.#context;
    const { table } = this.#all;
    const counts = Int32Array.from({ length: communicator.size }, (_, rank) => ownedCount(partition, rank));
    const byRank = createHostArray(backend, table.rows);
    communicator.allGather(await readRows(this.#ownTable, 0, this.#ownTable.rows), counts, byRank);
    const ordered = createHostArray(backend, table.rows);
    for (let rank = 0, place = 0; rank < communicator.size; rank++) {
      for (let local = 0; local < counts[rank]!; local++) ordered[rowOf(partition, rank, local)] = byRank[place++]!;
    }
    writeRows(ordered, 0, table);
    this.#all = { table, sum: constantSumOf(state) };
  }

  [Symbol.dispose](): void {
    this.#all?.table[Symbol.dispose]();
    this.#ownTable?.[Symbol.dispose]();
  }
}
