/**
 * The rows of all ranks, addressed by class number, for scoring. All methods are collectives; with one rank they use
 * its own rows only.
 */
import { read, readSync, type Indices, type Matrix } from '@vastmax/linalg-core';
import type { FactoredWeights, ScoreWeights } from '@vastmax/spherical-losses/factored-parts';
import { RangeGather } from '../rows/range-gather.ts';
import type { RankContext } from './class-shard.ts';
import type { FactoredExchange } from './factored-exchange.ts';

export class GlobalRows implements ScoreWeights {
  readonly width: number;
  readonly #context: RankContext;
  readonly #weights: FactoredWeights;
  readonly #rows: FactoredExchange;
  readonly #range: RangeGather;

  constructor(context: RankContext, rows: FactoredExchange) {
    const { communicator, backend, partition, weights } = context;
    this.width = weights.width;
    this.#context = context;
    this.#weights = weights;
    this.#rows = rows;
    this.#range = new RangeGather(communicator, backend, partition);
  }

  get map(): Matrix {
    return this.#weights.map;
  }

  get shift(): Matrix {
    return this.#weights.shift;
  }

  /**
   * W of classes `first` …, the same on all ranks.
   * @throws LinalgError where the backend cannot read synchronously.
   */
  denseRows(first: number, count: number, out: Matrix): void {
    if (this.#context.communicator.size === 1) {
      this.#weights.denseRows(first, count, out);
      return;
    }
    this.#context.preflight.begin('denseRows', { same: { first, count } });
    readSync(this.#ownRows(first, count), this.#range.host(count, this.width));
    this.#range.gather(first, out);
  }

  /**
   * As `denseRows`, on any backend and without a preflight: all ranks know already that they request the same classes.
   */
  async fetchDenseRows(first: number, count: number, out: Matrix): Promise<void> {
    if (this.#context.communicator.size === 1) {
      this.#weights.denseRows(first, count, out);
      return;
    }
    await read(this.#ownRows(first, count), this.#range.host(count, this.width));
    this.#range.gather(first, out);
  }

  /** Rows of V of any classes; each rank passes its own list. */
  gatherCurrent(classes: Int32Array, count: number, indices: Indices, out: Matrix): void {
    if (this.#context.communicator.size === 1) {
      this.#weights.gatherCurrent(classes, count, indices, out);
      return;
    }
    this.#rows.exchange.sort(classes, count);
    this.#context.preflight.begin('classScores', { same: {} }, this.#rows.exchange);
    this.#rows.fetchSync(count);
    this.#rows.place(out);
  }

  /** This rank's part of the classes from `first` on. */
  #ownRows(first: number, count: number): Matrix {
    const own = this.#range.ownRange(first, count);
    const dense = this.#context.workspace.matrix('own dense rows', own.count, this.width);
    this.#weights.denseRows(own.first, own.count, dense);
    return dense;
  }
}
