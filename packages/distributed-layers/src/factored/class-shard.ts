/**
 * This rank's part of the classes: the rows of V it starts with, the addition of classes, and, for a loss that has
 * them, the class constants: those of all classes on every rank for the targets, and its own for scoring its own
 * classes.
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
import { ownedCount, rowOf, type GrowingPartition } from '../rows/row-partition.ts';
import { localErrorOf, type CollectivePreflight } from './collective-preflight.ts';
import type { DistributedFactoredLayerOptions } from './layer-options.ts';
import { fillOwnRows, ownRowsOf } from './own-rows.ts';

/** The objects that all parts of the layer use. */
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

  /** Constants of all classes: row c belongs to class c. */
  get allConstants(): ClassConstants | undefined {
    return this.#all;
  }

  /** Constants of this rank's rows, in their order; the sum is that of all classes. */
  get ownConstants(): ClassConstants | undefined {
    if (this.#all === undefined || this.#ownTable === undefined) return undefined;
    return { table: this.#ownTable, sum: this.#all.sum };
  }

  /**
   * Fills the initial rows and constants. No collective. @throws OutputLayerError `shape` unless there is a constant
   * for each class.
   */
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
   * Adds classes after the existing ones. A collective.
   * @param progress other numbers that must be the same on all ranks.
   * @throws OutputLayerError on every rank when one rank rejects the rows or they differ; nothing has changed.
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
    const localError = localErrorOf(undefined, () => {
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

  /** To be called after every rank has restored its own constants: exchanges those of all. A collective, O(D). */
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
