/**
 * Rows of V as they are needed: fetched from their owners, who bring them to the current generation. The ladder of
 * closed generations is the same on every rank, so the owner's conversion is everybody's.
 */
import {
  createHostArray,
  read,
  write,
  type Backend,
  type FloatArray,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { FactoredWeights, TouchedRows } from '@vastmax/spherical-losses/factored-parts';
import type { RowExchange } from '../rows/row-exchange.ts';
import { readNow } from './read-now.ts';

export class RowFetch {
  readonly exchange: RowExchange;
  readonly #backend: Backend;
  readonly #workspace: Workspace;
  readonly #weights: FactoredWeights;
  #owned: FloatArray;
  #asked: FloatArray;
  #count = 0;

  constructor(exchange: RowExchange, backend: Backend, workspace: Workspace, weights: FactoredWeights) {
    this.exchange = exchange;
    this.#backend = backend;
    this.#workspace = workspace;
    this.#weights = weights;
    this.#owned = createHostArray(backend, 0);
    this.#asked = createHostArray(backend, 0);
  }

  /**
   * After exchange.sort and the counts: the rows asked for, kept until `place`. A collective.
   * @param store whether rows that had to be converted are stored back as converted.
   */
  async fetch(count: number, store: boolean): Promise<TouchedRows> {
    const owned = this.#route(count);
    if (store) this.#weights.refresh(owned.classes, owned.count, owned.indices, owned.rows);
    else this.#weights.gatherCurrent(owned.classes, owned.count, owned.indices, owned.rows);
    await read(owned.rows, this.#owned);
    this.exchange.fetch(this.#owned, this.#weights.width, this.#asked);
    return owned;
  }

  /** As `fetch` without storing, for calls that cannot wait. */
  fetchNow(count: number): void {
    const owned = this.#route(count);
    this.#weights.gatherCurrent(owned.classes, owned.count, owned.indices, owned.rows);
    readNow(owned.rows, this.#owned);
    this.exchange.fetch(this.#owned, this.#weights.width, this.#asked);
  }

  /** The fetched rows, in the order in which they were asked for. */
  place(out: Matrix): void {
    write(this.#asked.subarray(0, this.#count * this.#weights.width), out);
  }

  /**
   * Rows of R from every rank to the owners, who add up what several ranks have for one class. A collective.
   * @param gradient a row for each row asked for; undefined for none to give.
   * @param out ownedCount×d.
   */
  async give(gradient: Matrix | undefined, out: Matrix): Promise<void> {
    const { width } = this.#weights;
    if (gradient === undefined) this.#asked.fill(0, 0, this.#count * width);
    else await read(gradient, this.#asked);
    this.exchange.give(this.#asked, width, this.#owned);
    write(this.#owned.subarray(0, this.exchange.ownedCount * width), out);
  }

  #route(count: number): TouchedRows {
    const { width } = this.#weights;
    this.exchange.exchangeRows();
    const { ownedCount, ownedRows } = this.exchange;
    this.#count = count;
    if (this.#asked.length < count * width)
      this.#asked = createHostArray(this.#backend, Math.ceil(count * width * 1.5));
    if (this.#owned.length < ownedCount * width)
      this.#owned = createHostArray(this.#backend, Math.ceil(ownedCount * width * 1.5));
    return {
      classes: ownedRows,
      count: ownedCount,
      indices: this.#workspace.indices('owned classes', ownedRows, ownedCount),
      rows: this.#workspace.matrix('owned rows', ownedCount, width),
      gradient: this.#workspace.matrix('owned gradient', ownedCount, width),
    };
  }
}
