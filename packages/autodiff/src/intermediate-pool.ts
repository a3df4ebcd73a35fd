/**
 * Matrices by order of request: the k-th one asked for in a step is the k-th handle of the step before, resized. A
 * model asks for its intermediates in the same order at every step, so shapes need no lookup and varying minibatches
 * need no second set. A slot that has become too small is replaced, its room growing by half at least, so a loop stops
 * creating handles after a few steps. Where the order of requests varies (the first minibatch of a single example, a
 * model with branches) a slot ends up as large as its largest use. Rejected: a free list by shape, which creates a new
 * set for every batch size it meets.
 */
import type { Backend, Matrix } from '@vastmax/linalg-core';

export class IntermediatePool implements Disposable {
  readonly #backend: Backend;
  readonly #slots: Matrix[] = [];
  #next = 0;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** The next matrix of this step. Its content is whatever was there. */
  take(rows: number, columns: number): Matrix {
    const position = this.#next;
    const existing = this.#slots[position];
    if (existing !== undefined && existing.capacity >= rows * columns) {
      existing.resize(rows, columns);
      this.#next = position + 1;
      return existing;
    }
    const capacity = Math.max(rows * columns, Math.ceil((existing?.capacity ?? 0) * 1.5));
    // Created before the old one goes: when the device has no room the slot stays usable.
    const created = this.#backend.createMatrix(1, capacity).resize(rows, columns);
    existing?.[Symbol.dispose]();
    this.#slots[position] = created;
    this.#next = position + 1;
    return created;
  }

  /** Begin again with the first slot. */
  rewind(): void {
    this.#next = 0;
  }

  [Symbol.dispose](): void {
    for (const slot of this.#slots) slot[Symbol.dispose]();
    this.#slots.length = 0;
    this.#next = 0;
  }
}
