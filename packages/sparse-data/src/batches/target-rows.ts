// The targets of a minibatch, copied from those of all examples: as they are, as shares, or times weights of classes.

import { CsrBuffer } from '../csr/csr-buffer.ts';
import { type CsrRows, validateCsrRows } from '../csr/csr-rows.ts';
import { SparseDataError, show } from '../errors.ts';

/**
 * The weights of the classes of an example. `given`: as in the data, or 1 without values, so that an example with more
 * classes has a larger loss. `shares`: scaled to a sum of 1, which is a distribution over the classes, as a softmax can
 * fit.
 */
export type TargetWeights = 'given' | 'shares';

/** The targets of minibatches, and how they are weighted. */
export interface TargetOptions {
  /** Classes of each example; referenced, not copied. */
  readonly targets: CsrRows;
  /** Default `given`; see TargetWeights. */
  readonly targetWeights?: TargetWeights;
  /** What the weights of each class are multiplied by then, one number for each column of `targets`. */
  readonly classWeights?: Float64Array;
}

/** Collects rows of targets in arrays that are reused. */
export class TargetRows {
  readonly #source: CsrRows;
  readonly #shares: boolean;
  readonly #classWeights: Float64Array | undefined;
  readonly #rows: CsrBuffer;

  /**
   * @param where name of the batches in error messages.
   * @throws SparseDataError as validateCsrRows, `bad-option`, `shape`, `non-finite-value`. Everything is checked once,
   * O(entries).
   */
  constructor(where: string, { targets, targetWeights = 'given', classWeights }: TargetOptions) {
    validateCsrRows(targets, `${where}: targets`);
    checkTargetWeights(where, targetWeights);
    checkClassWeights(where, classWeights, targets.columns);
    this.#source = targets;
    this.#shares = targetWeights === 'shares';
    this.#classWeights = classWeights;
    const weighted = targets.values !== undefined || this.#shares || classWeights !== undefined;
    this.#rows = new CsrBuffer(targets.columns, { weighted });
  }

  clear(): void {
    this.#rows.clear();
  }

  add(row: number): void {
    copyRow(this.#source, row, this.#rows);
    if (this.#shares) this.#rows.normalizeRow();
    if (this.#classWeights !== undefined) this.#rows.scaleRow(this.#classWeights);
    this.#rows.endRow();
  }

  /** Valid until the next call of `clear`. */
  rows(): CsrRows {
    return this.#rows.rows();
  }
}

export function copyRow(source: CsrRows, row: number, out: CsrBuffer): void {
  const { offsets, indices, values } = source;
  for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++)
    out.add(indices[entry]!, values === undefined ? 1 : values[entry]!);
}

/** @throws SparseDataError `shape`: an example is a row of inputs and one of targets. */
export function checkSameRows(where: string, inputs: number, targets: number): void {
  if (inputs === targets) return;
  throw new SparseDataError(
    'shape',
    `${where}: inputs has ${inputs} rows, targets has ${targets}; an example is a row of each`,
  );
}

/** @throws SparseDataError `index-out-of-range`. */
export function checkRowNumbers(where: string, rows: Int32Array | undefined, available: number): void {
  rows?.forEach((row, at) => {
    if (row < 0 || row >= available) {
      throw new SparseDataError(
        'index-out-of-range',
        `${where}: rows[${at}] is ${row}, but there are ${available} rows; they are 0..${available - 1}`,
      );
    }
  });
}

export function checkTargetWeights(where: string, value: unknown): void {
  if (value !== 'given' && value !== 'shares')
    throw new SparseDataError('bad-option', `${where}: targetWeights is ${show(value)}; given or shares is needed`);
}

function checkClassWeights(where: string, weights: Float64Array | undefined, classes: number): void {
  if (weights === undefined) return;
  if (weights.length !== classes)
    throw new SparseDataError(
      'shape',
      `${where}: there are ${weights.length} class weights for ${classes} classes; one each is needed`,
    );
  const wrong = weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
  if (wrong !== -1)
    throw new SparseDataError(
      'non-finite-value',
      `${where}: the weight of class ${wrong} is ${String(weights[wrong])}; a finite number of at least 0 is needed`,
    );
}
