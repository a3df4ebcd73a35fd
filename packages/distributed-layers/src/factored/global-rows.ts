/**
 * The rows of all ranks where a class is named by its own number: what scoring asks of the weights. Collectives all of
 * them, without waiting; with one rank its own rows are all there are.
 */
import {
  createHostArray,
  read,
  write,
  type Backend,
  type FloatArray,
  type Indices,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { FactoredWeights, ScoreWeights } from '@vastmax/spherical-losses/factored-parts';
import type { Communicator } from '@vastmax/collectives';
import { firstLocalAt, ownedCount, rowOf, type RowPartition } from '../rows/row-partition.ts';
import type { Agreement } from './agreement.ts';
import { readNow } from './read-now.ts';
import type { RowFetch } from './row-fetch.ts';

export class GlobalRows implements ScoreWeights {
  readonly width: number;
  readonly #communicator: Communicator;
  readonly #agreement: Agreement;
  readonly #backend: Backend;
  readonly #workspace: Workspace;
  readonly #weights: FactoredWeights;
  readonly #rows: RowFetch;
  readonly #partition: RowPartition;
  readonly #counts: Int32Array;
  #own: FloatArray;
  #all: FloatArray;
  #ordered: FloatArray;

  constructor(
    communicator: Communicator,
    agreement: Agreement,
    backend: Backend,
    workspace: Workspace,
    weights: FactoredWeights,
    rows: RowFetch,
  ) {
    this.width = weights.width;
    this.#communicator = communicator;
    this.#agreement = agreement;
    this.#backend = backend;
    this.#workspace = workspace;
    this.#weights = weights;
    this.#rows = rows;
    this.#partition = rows.exchange.partition;
    this.#counts = new Int32Array(communicator.size);
    this.#own = createHostArray(backend, 0);
    this.#all = this.#own;
    this.#ordered = this.#own;
  }

  get map(): Matrix {
    return this.#weights.map;
  }

  get shift(): Matrix {
    return this.#weights.shift;
  }

  /** W of classes `first` …, the same on all ranks. */
  denseRows(first: number, count: number, out: Matrix): void {
    if (this.#communicator.size === 1) {
      this.#weights.denseRows(first, count, out);
      return;
    }
    this.#agreement.begin('denseRows', { same: { first, count } });
    const dense = this.#ownRows(first, count);
    readNow(dense, this.#own);
    this.#exchange(first, count, dense.rows, out);
  }

  /** As `denseRows`, on any backend and without agreeing first: all ranks know already that all ask for the same. */
  async fetchDenseRows(first: number, count: number, out: Matrix): Promise<void> {
    if (this.#communicator.size === 1) {
      this.#weights.denseRows(first, count, out);
      return;
    }
    const dense = this.#ownRows(first, count);
    await read(dense, this.#own);
    this.#exchange(first, count, dense.rows, out);
  }

  /** This rank's part of the classes `first` …, with room for them and for all. */
  #ownRows(first: number, count: number): Matrix {
    const { width } = this;
    const { rank } = this.#communicator;
    const ownRows = ownedCount(this.#partition, rank, first, count);
    const dense = this.#workspace.matrix('own dense rows', ownRows, width);
    this.#weights.denseRows(firstLocalAt(this.#partition, rank, first), ownRows, dense);
    if (this.#all.length < count * width) {
      this.#own = createHostArray(this.#backend, count * width);
      this.#all = createHostArray(this.#backend, count * width);
      this.#ordered = createHostArray(this.#backend, count * width);
    }
    return dense;
  }

  /** From every rank its part, put in the order of the classes. */
  #exchange(first: number, count: number, ownRows: number, out: Matrix): void {
    const { width } = this;
    const { size } = this.#communicator;
    for (let other = 0; other < size; other++)
      this.#counts[other] = width * ownedCount(this.#partition, other, first, count);
    this.#communicator.allGather(this.#own.subarray(0, ownRows * width), this.#counts, this.#all);
    for (let other = 0, place = 0; other < size; other++) {
      const firstLocal = firstLocalAt(this.#partition, other, first);
      for (let i = 0; i < this.#counts[other]! / width; i++, place += width) {
        const target = (rowOf(this.#partition, other, firstLocal + i) - first) * width;
        for (let j = 0; j < width; j++) this.#ordered[target + j] = this.#all[place + j]!;
      }
    }
    write(this.#ordered.subarray(0, count * width), out);
  }

  /** Rows of V of any classes, this rank's own list. */
  gatherCurrent(classes: Int32Array, count: number, indices: Indices, out: Matrix): void {
    if (this.#communicator.size === 1) {
      this.#weights.gatherCurrent(classes, count, indices, out);
      return;
    }
    this.#rows.exchange.sort(classes, count);
    this.#agreement.begin('classScores', { same: {} }, this.#rows.exchange);
    this.#rows.fetchNow(count);
    this.#rows.place(out);
  }
}
