/**
 * The row storage of a sampled method over many ranks. At the start of a step the rows that it will touch are fetched
 * from their owners; the step gathers from them, and its gradients are sent back to the owners, who add the gradients
 * of all ranks for one row in rank order and update it once. Between steps `gather` fetches from the owners, which is a
 * collective.
 *
 * Rejected: scoring the samples on their owners for the examples of all ranks, as the full softmax over ranks does
 * (partial-softmax.ts). It moves 2Md numbers for a minibatch of M where this moves 2(n + C)d, so less when M < n + C;
 * but each criterion, whose softmax runs over targets and samples together, would have to be implemented a second time.
 */
import {
  createHostArray,
  fill,
  gatherRows,
  read,
  scatterAddRows,
  write,
  type FloatArray,
  type Indices,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { ClassTable, RowList, TrainableRows } from '@vastmax/softmax-losses/layer-parts';
import { DistinctIndices } from '@vastmax/sparse-data';
import type { RowGradient } from '@vastmax/update-rules';
import type { Communicator } from '@vastmax/collectives';
import { RowExchange } from '../rows/row-exchange.ts';
import { type RowPartition } from '../rows/row-partition.ts';
import { ClassRows } from './class-rows.ts';
import type { ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import type { CollectivePreflight } from '../factored/collective-preflight.ts';

export class FetchedRows implements TrainableRows {
  readonly partition: RowPartition;
  /** This rank's rows. */
  readonly own: ClassTable;
  /** The rows of all ranks, for scoring. */
  readonly all: ClassRows;
  readonly #preflight: CollectivePreflight;
  readonly #workspace: Workspace;
  readonly #exchange: RowExchange;
  readonly #distinct = new DistinctIndices();
  #phase: 'idle' | 'asking' | 'fetched' = 'idle';
  #slots: Int32Array = new Int32Array(0);
  #owned: FloatArray;
  #requested: FloatArray;

  /** The object owns `own` from now on. */
  constructor(
    communicator: Communicator,
    preflight: CollectivePreflight,
    partition: RowPartition,
    own: ClassTable,
    workspace: Workspace,
  ) {
    this.partition = partition;
    this.own = own;
    this.all = new ClassRows(communicator, partition, own.table, workspace);
    this.#preflight = preflight;
    this.#workspace = workspace;
    this.#exchange = new RowExchange(communicator, partition);
    this.#owned = createHostArray(own.table.backend, 0);
    this.#requested = this.#owned;
  }

  get rows(): number {
    return this.partition.rows;
  }

  get features(): number {
    return this.own.features;
  }

  get bias(): boolean {
    return this.own.bias;
  }

  get width(): number {
    return this.own.width;
  }

  /** Whether `fetch` threw because a rank rejected the step: then all ranks know it. */
  get wasRejected(): boolean {
    return this.#phase === 'asking';
  }

  range(first: number, count: number, list: string): Indices {
    return this.own.range(first, count, list);
  }

  gather(indices: Indices, out: Matrix): void {
    if (this.#phase === 'fetched') gatherRows(this.#fetched(), this.#places(indices, 'gathered places'), out);
    else if (this.partition.size === 1) this.own.gather(indices, out);
    else this.all.gather(indices.values.subarray(0, indices.count), out);
  }

  /** Fetches rows; each rank passes its own lists. A collective. */
  async fetch(lists: readonly RowList[]): Promise<void> {
    const distinct = this.#distinct;
    distinct.begin(lists.reduce((sum, { count }) => sum + count, 0));
    for (const { values, count } of lists) for (let i = 0; i < count; i++) distinct.slotOf(values[i]!);
    const { width } = this;
    this.#exchange.sort(distinct.values, distinct.count);
    this.#phase = 'asking';
    this.#preflight.begin('step', { same: {} }, this.#exchange);
    this.#phase = 'fetched';
    this.#exchange.exchangeRows();
    const { ownedCount, ownedRows } = this.#exchange;
    this.#reserve(ownedCount * width, distinct.count * width);
    const rows = this.#workspace.matrix('owned class rows', ownedCount, width);
    this.own.gather(this.#workspace.indices('owned classes', ownedRows, ownedCount), rows);
    await read(rows, this.#owned);
    this.#exchange.fetch(this.#owned, width, this.#requested);
    write(this.#requested.subarray(0, distinct.count * width), this.#fetched());
  }

  /** Updates the rows that any rank has fetched. A collective, after `fetch`. */
  async update(gradients: readonly RowGradient[], learningRate: number, step: number): Promise<void> {
    const { width } = this;
    const { ownedCount, ownedRows } = this.#exchange;
    const given = this.#workspace.matrix('fetched class gradient', this.#distinct.count, width);
    fill(0, given);
    for (const { indices, rows } of gradients) scatterAddRows(rows, this.#places(indices, 'gradient places'), given);
    await read(given, this.#requested);
    this.#exchange.reduceToOwners(this.#requested, width, this.#owned);
    if (ownedCount === 0) return;
    const sums = this.#workspace.matrix('owned class gradient', ownedCount, width);
    write(this.#owned.subarray(0, ownedCount * width), sums);
    this.own.updateDistinct(this.#workspace.indices('owned classes', ownedRows, ownedCount), sums, learningRate, step);
  }

  /** To be called when the step is complete or was rejected. */
  release(): void {
    this.#phase = 'idle';
  }

  /** The tensors of this rank's rows. */
  tensors(): TensorSource[] {
    return this.own.tensors();
  }

  checkState(state: ModuleState): void {
    this.own.checkState(state);
  }

  restore(state: ModuleState): Promise<void> {
    return this.own.restore(state);
  }

  [Symbol.dispose](): void {
    this.own[Symbol.dispose]();
  }

  #fetched(): Matrix {
    return this.#workspace.matrix('fetched class rows', this.#distinct.count, this.width);
  }

  /** The indices of classes among the fetched rows. */
  #places({ values, count }: Indices, name: string): Indices {
    if (this.#slots.length < count) this.#slots = new Int32Array(Math.ceil(count * 1.5));
    for (let i = 0; i < count; i++) this.#slots[i] = this.#distinct.slotOf(values[i]!);
    return this.#workspace.indices(name, this.#slots, count);
  }

  #reserve(owned: number, requested: number): void {
    const { backend } = this.own.table;
    if (this.#owned.length < owned) this.#owned = createHostArray(backend, Math.ceil(owned * 1.5));
    if (this.#requested.length < requested) this.#requested = createHostArray(backend, Math.ceil(requested * 1.5));
  }
}
