/**
 * The look at a few numbers before a step changes weights: one read of a small row, and whose fault it is when they are
 * not finite.
 */
import {
  copyColumns,
  createHostArray,
  read,
  reduce,
  type Backend,
  type FloatArray,
  type Matrix,
} from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';

/** Matrices that one check can watch. */
const places = 6;

export class FiniteCheck implements Disposable {
  readonly #row: Matrix;
  readonly #one: Matrix;
  readonly #host: FloatArray;

  constructor(backend: Backend) {
    this.#row = backend.createMatrix(1, places);
    this.#one = backend.createMatrix(1, 1);
    this.#host = createHostArray(backend, places);
  }

  /** Whether every number of the matrices (at most six) is finite: NaN and infinities survive a sum. */
  async areFinite(matrices: readonly Matrix[]): Promise<boolean> {
    const count = Math.min(matrices.length, places);
    for (const [place, matrix] of matrices.entries()) {
      reduce('sum', matrix, this.#one);
      copyColumns(this.#one, 0, this.#row, place, 1);
    }
    await read(this.#row, this.#host);
    for (let place = 0; place < count; place++) if (!Number.isFinite(this.#host[place])) return false;
    return true;
  }

  [Symbol.dispose](): void {
    this.#row[Symbol.dispose]();
    this.#one[Symbol.dispose]();
  }
}

/**
 * Something is not finite, and no weight has been touched yet. Reads whole matrices, which is fine on the way to an
 * error.
 */
export async function explainNonFinite(
  hidden: Matrix,
  losses: Matrix,
  context: { readonly kind: string; readonly step: number; readonly learningRate: number },
): Promise<OutputLayerError> {
  const { kind, step, learningRate } = context;
  const values = await read(hidden);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    return new OutputLayerError(
      'non-finite',
      `${kind} step ${step}: hidden is ${values[bad]} at example ${Math.floor(bad / hidden.columns)}, feature ${bad % hidden.columns}; ` +
        "the layer is unchanged. If the body produced it, lower the body's learning rate",
    );
  }
  const perExample = await read(losses);
  const example = perExample.findIndex((value) => !Number.isFinite(value));
  const what = example >= 0 ? `of example ${example} is ${perExample[example]}` : 'is finite but its gradient is not';
  return new OutputLayerError(
    'diverged',
    `${kind} step ${step}: the loss ${what} at learning rate ${learningRate}; go back to the last checkpoint and try ` +
      `${Number((learningRate / 4).toPrecision(3))} or smaller hidden activations`,
  );
}
