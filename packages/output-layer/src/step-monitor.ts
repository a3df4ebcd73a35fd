/**
 * The few numbers that a step shows to the host, in one read, after everything is computed and before a weight is
 * touched: is the loss finite, is the gradient, how near is a small system to a singular one. And whose fault it is
 * when something is not finite.
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
import { OutputLayerError } from './errors.ts';

/** Numbers that one monitor can hold. */
const places = 6;

/** Collects the numbers of a step that are to be checked on the device and reads them in one go. */
export class StepMonitor implements Disposable {
  readonly #numbers: readonly Matrix[];
  readonly #row: Matrix;
  readonly #host: FloatArray;
  /** One bit for each number that was written since the last read. */
  #written = 0;

  constructor(backend: Backend) {
    this.#numbers = Array.from({ length: places }, () => backend.createMatrix(1, 1));
    this.#row = backend.createMatrix(1, places);
    this.#host = createHostArray(backend, places);
  }

  /** The 1×1 matrix of a number (0 to 5) for a kernel to write, part of the next read. */
  slot(place: number): Matrix {
    this.#written |= 1 << place;
    return this.#numbers[place]!;
  }

  /** NaN and infinities survive a sum. */
  watchSum(place: number, matrix: Matrix): void {
    reduce('sum', matrix, this.slot(place));
  }

  watchSquares(place: number, matrix: Matrix): void {
    reduce('sumSquares', matrix, this.slot(place));
  }

  /** One read; afterwards `value` answers. What was not written since the last read keeps its value. */
  async read(): Promise<void> {
    for (let place = 0; place < places; place++) {
      if ((this.#written & (1 << place)) !== 0) copyColumns(this.#numbers[place]!, 0, this.#row, place, 1);
    }
    this.#written = 0;
    await read(this.#row, this.#host);
  }

  value(place: number): number {
    return this.#host[place]!;
  }

  /** Whether every number of the matrices (at most six) is finite. One read. */
  async areFinite(matrices: readonly Matrix[]): Promise<boolean> {
    for (const [place, matrix] of matrices.entries()) this.watchSum(place, matrix);
    await this.read();
    return matrices.every((_, place) => Number.isFinite(this.value(place)));
  }

  [Symbol.dispose](): void {
    for (const matrix of [...this.#numbers, this.#row]) matrix[Symbol.dispose]();
  }
}

/** What the error about a failed step names. */
export interface FailedStep {
  /** Of the layer. */
  readonly kind: string;
  readonly step: number;
  readonly learningRate: number;
  /** Name of the loss, where the layer has a choice of them. */
  readonly loss?: string;
  /** What helps beside a lower rate: `smaller hidden activations` unless given. */
  readonly remedies?: readonly string[];
}

/**
 * A loss or a gradient is not finite, and no weight has been touched yet: the error says whether the input or the
 * training is at fault. Reads whole matrices, which is fine on the way to an error.
 */
export async function explainNonFinite(hidden: Matrix, losses: Matrix, failed: FailedStep): Promise<OutputLayerError> {
  const { kind, step, learningRate, loss, remedies = ['smaller hidden activations'] } = failed;
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
  const lowerRate = String(Number((learningRate / 4).toPrecision(3)));
  const choices = [lowerRate, ...remedies];
  const advice = `${choices.slice(0, -1).join(', ')}${choices.length > 2 ? ',' : ''} or ${choices[choices.length - 1]}`;
  return new OutputLayerError(
    'diverged',
    `${kind} step ${step}: the ${loss === undefined ? 'loss' : `${loss} loss`} ${what} at learning rate ${learningRate}; ` +
      `go back to the last checkpoint and try ${advice}`,
  );
}
