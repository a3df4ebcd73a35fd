/**
 * The exact scores of the rows that a bound has not excluded: in f64, in the order of the columns, so that every way of
 * searching gives the same numbers as a plain loop over all vectors.
 */
import { createHostArray, gatherRows, read, type FloatArray, type Workspace } from '@vastmax/linalg-core';
import type { BestList } from './best-list.ts';
import type { IndexedRows } from './indexed-rows.ts';
import type { DirectedQuery } from './query.ts';

/** Rows that are gathered at once. */
const rowsAtOnce = 1024;

export class Rescoring {
  readonly #rows: IndexedRows;
  readonly #workspace: Workspace;
  readonly #slots: Int32Array = new Int32Array(rowsAtOnce);
  readonly #queries: DirectedQuery[] = [];
  readonly #lists: BestList[] = [];
  readonly #host: FloatArray;
  /** Scores computed so far. */
  scored = 0;

  constructor(rows: IndexedRows, workspace: Workspace) {
    this.#rows = rows;
    this.#workspace = workspace;
    this.#host = createHostArray(rows.backend, rowsAtOnce * rows.width);
  }

  get isFull(): boolean {
    return this.#queries.length === rowsAtOnce;
  }

  add(slot: number, query: DirectedQuery, list: BestList): void {
    this.#slots[this.#queries.length] = slot;
    this.#queries.push(query);
    this.#lists.push(list);
  }

  /** Computes the scores of what was added, and offers them. */
  async run(): Promise<void> {
    const count = this.#queries.length;
    if (count === 0) return;
    const { width, biases, table } = this.#rows;
    const slots = this.#slots.subarray(0, count);
    const gathered = this.#workspace.matrix('rescored', count, width);
    gatherRows(table, this.#workspace.indices('rescored slots', slots), gathered);
    await read(gathered, this.#host);
    const host = this.#host;
    for (let i = 0; i < count; i++) {
      const { values, offset } = this.#queries[i]!;
      let sum = 0;
      for (let j = 0, at = i * width; j < width; j++, at++) sum += values[j]! * host[at]!;
      const slot = slots[i]!;
      if (biases !== undefined) sum += biases[slot]!;
      this.#lists[i]!.offer(this.#rows.indexOf(slot), sum + offset);
    }
    this.scored += count;
    this.#queries.length = 0;
    this.#lists.length = 0;
  }
}
