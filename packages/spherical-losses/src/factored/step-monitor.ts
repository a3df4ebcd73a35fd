/**
 * The six numbers that a step shows to the host, in one read: is the loss finite, is the gradient, is the small system
 * singular, and how far U has drifted from the identity in the steps before. The read comes after everything is
 * computed and before a weight is touched.
 */
import {
  copyColumns,
  read,
  reduce,
  type Backend,
  type FloatArray,
  type Matrix,
  createHostArray,
} from '@vastmax/linalg-core';

const places = ['losses', 'gradient', 'reciprocalCondition', 'system', 'map', 'inverse'] as const;
type Place = (typeof places)[number];

export class StepMonitor implements Disposable {
  readonly #row: Matrix;
  readonly #one: Matrix;
  readonly #host: FloatArray;
  /** 1×1, for the solver to write. */
  readonly reciprocalCondition: Matrix;

  constructor(backend: Backend) {
    this.#row = backend.createMatrix(1, places.length);
    this.#one = backend.createMatrix(1, 1);
    this.reciprocalCondition = backend.createMatrix(1, 1);
    this.#host = createHostArray(backend, places.length);
  }

  /** Σ over the losses; NaN and infinities survive a sum. */
  watchLosses(losses: Matrix): void {
    reduce('sum', losses, this.#one);
    this.#keep('losses');
  }

  watchSquares(place: 'gradient' | 'system' | 'map' | 'inverse', matrix: Matrix): void {
    reduce('sumSquares', matrix, this.#one);
    this.#keep(place);
  }

  /** One read; afterwards `value` answers. */
  async update(): Promise<void> {
    copyColumns(this.reciprocalCondition, 0, this.#row, places.indexOf('reciprocalCondition'), 1);
    await read(this.#row, this.#host);
  }

  value(place: Place): number {
    return this.#host[places.indexOf(place)]!;
  }

  #keep(place: Place): void {
    copyColumns(this.#one, 0, this.#row, places.indexOf(place), 1);
  }

  [Symbol.dispose](): void {
    for (const matrix of [this.#row, this.#one, this.reciprocalCondition]) matrix[Symbol.dispose]();
  }
}
