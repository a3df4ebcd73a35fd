/**
 * The rows of all ranks beneath a sampled method. In a step: those that it will touch are fetched from their owners at
 * once, it gathers from them, and its gradients go back the same way to the owners, who add up what the ranks have for
 * one row in their order and change it once. Between steps `gather` asks the owners itself, which is a collective.
 *
 * Rejected: that the owners score their samples for the examples of all ranks, as the full softmax over ranks does
 * (partial-softmax.ts). It moves 2Md numbers of a minibatch of M where this moves 2(n + C)d, so less when M < n + C;
 * but each criterion, whose softmax runs over targets and samples together, would be written a second time.
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
import type { RowPartition } from '../rows/row-exchange.ts';
import { ClassRows } from './class-rows.ts';
import type { ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import type { CollectivePreflight } from '../factored/collective-preflight.ts';

export class FetchedRows implements TrainableRows {
  readonly partition: RowPartition;
  /** This rank's. */
  readonly own: ClassTable;
  /** All, for scoring. */
  readonly all: ClassRows;
  readonly #preflight: CollectivePreflight;
  readonly #workspace: Workspace;
  readonly #exchange: RowExchange;
  readonly #distinct = new DistinctIndices();
  #phase: 'idle' | 'asking' | 'fetched' = 'idle';
  #slots: Int32Array = new Int32Array(0);
  #owned: FloatArray;
  #asked: FloatArray;

  /** Takes over `own`. */
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
    this.#asked = this.#owned;
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

  /** Whether `fetch` threw because a rank refused the step instead of fetching: all have been told. */
  get wasRefused(): boolean {
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

  /** A collective: each rank its own lists. */
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
    this.#exchange.fetch(this.#owned, width, this.#asked);
    write(this.#asked.subarray(0, distinct.count * width), this.#fetched());
  }

  /** A collective, after `fetch`: rows that any rank has fetched change. */
  async update(gradients: readonly RowGradient[], learningRate: number, step: number): Promise<void> {
    const { width } = this;
    const { ownedCount, ownedRows } = this.#exchange;
    const given = this.#workspace.matrix('fetched class gradient', this.#distinct.count, width);
    fill(0, given);
    for (const { indices, rows } of gradients) scatterAddRows(rows, this.#places(indices, 'gradient places'), given);
    await read(given, this.#asked);
    this.#exchange.give(this.#asked, width, this.#owned);
    if (ownedCount === 0) return;
    const sums = this.#workspace.matrix('owned class gradient', ownedCount, width);
    write(this.#owned.subarray(0, ownedCount * width), sums);
    this.own.updateDistinct(this.#workspace.indices('owned classes', ownedRows, ownedCount), sums, learningRate, step);
  }

  /** The step is over, or was refused. */
  release(): void {
    this.#phase = 'idle';
  }

  /** Of this rank's rows. */
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

  /** Where classes stand among the fetched. */
  #places({ values, count }: Indices, name: string): Indices {
    if (this.#slots.length < count) this.#slots = new Int32Array(Math.ceil(count * 1.5));
    for (let i = 0; i < count; i++) this.#slots[i] = this.#distinct.slotOf(values[i]!);
    return this.#workspace.indices(name, this.#slots, count);
  }

  #reserve(owned: number, asked: number): void {
    const { backend } = this.own.table;
    if (this.#owned.length < owned) this.#owned = createHostArray(backend, Math.ceil(owned * 1.5));
    if (this.#asked.length < asked) this.#asked = createHostArray(backend, Math.ceil(asked * 1.5));
  }
}
