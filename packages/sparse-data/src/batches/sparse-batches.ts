// Minibatches of sparse inputs with sparse targets, from rows in memory, or inputs from where they are read, such as
// documents and their labels, or users and items.

import type { BatchCursor } from './batch-cursor.ts';
import { ExampleOrder, type ExampleOrderOptions } from './example-order.ts';
import { CsrBuffer } from '../csr/csr-buffer.ts';
import { type CsrRows, validateCsrRows } from '../csr/csr-rows.ts';
import { SparseDataError, show } from '../errors.ts';

/**
 * One minibatch of any source of sparse examples. The object and its arrays are reused: they are valid until the next
 * call of next().
 */
export interface SparseBatch {
  /** m, the number of examples. */
  readonly size: number;
  /** m rows: the weighted features of each example. */
  readonly inputs: CsrRows;
  /** m rows: the weighted classes of each example. */
  readonly targets: CsrRows;
  /** The class of each example, if every example has exactly one. */
  readonly targetIds: Int32Array | undefined;
  /** The row of each example in the data; m numbers. */
  readonly examples: Int32Array;
  /** Epoch, from 0, that this batch belongs to. */
  readonly epoch: number;
  /** Whether it is the last batch of its epoch. */
  readonly endOfEpoch: boolean;
}

/** Rows that are not in memory: they are read when they are needed. */
export interface SparseRowSource {
  readonly rows: number;
  readonly columns: number;
  /** Whether there are values other than 1. */
  readonly isWeighted: boolean;
  /** Adds the entries of a row to the current row of `out`. */
  readonly copyRow: (row: number, out: CsrBuffer) => void;
}

/** Inputs and targets as sparse rows, row by row the same examples. */
export interface SparseBatchesOptions extends ExampleOrderOptions {
  /** Features of each example; referenced, not copied. */
  readonly inputs: CsrRows | SparseRowSource;
  /** Classes of each example, as many rows; referenced, not copied. */
  readonly targets: CsrRows;
  /** The rows to use, such as those of one part of a split; default all. */
  readonly rows?: Int32Array;
  /** Default `given`; see TargetWeights. */
  readonly targetWeights?: TargetWeights;
  /** What the weights of each class are multiplied by then, one number for each column of `targets`. */
  readonly classWeights?: Float64Array;
}

/**
 * An endless sequence of minibatches, epoch after epoch, determined by its options. next() costs O(number of entries in
 * the batch).
 */
export class SparseBatches {
  readonly #order: ExampleOrder;
  readonly #rows: Int32Array | undefined;
  readonly #copyInputs: SparseRowSource['copyRow'];
  readonly #sourceTargets: CsrRows;
  readonly #shares: boolean;
  readonly #classWeights: Float64Array | undefined;
  readonly #inputs: CsrBuffer;
  readonly #targets: CsrBuffer;

  /**
   * @throws SparseDataError `shape` if inputs and targets differ in rows or are not valid CsrRows,
   * `index-out-of-range`, `empty-input`, `bad-option`. Everything is checked once, O(entries).
   */
  constructor(options: SparseBatchesOptions) {
    const { inputs, targets, rows, targetWeights = 'given', classWeights } = options;
    const isInMemory = !('copyRow' in inputs);
    if (isInMemory) validateCsrRows(inputs, 'SparseBatches: inputs');
    validateCsrRows(targets, 'SparseBatches: targets');
    if (inputs.rows !== targets.rows) {
      throw new SparseDataError(
        'shape',
        `SparseBatches: inputs has ${inputs.rows} rows, targets has ${targets.rows}; an example is a row of each`,
      );
    }
    checkRowNumbers('SparseBatches', rows, inputs.rows);
    checkTargetWeights('SparseBatches', targetWeights);
    checkClassWeights(classWeights, targets.columns);
    this.#order = new ExampleOrder('SparseBatches', rows?.length ?? inputs.rows, options);
    this.#rows = rows;
    this.#copyInputs = isInMemory
      ? (row, out) => {
          copyRow(inputs, row, out);
        }
      : inputs.copyRow;
    this.#sourceTargets = targets;
    this.#shares = targetWeights === 'shares';
    this.#inputs = new CsrBuffer(inputs.columns, {
      weighted: isInMemory ? inputs.values !== undefined : inputs.isWeighted,
    });
    this.#classWeights = classWeights;
    const weighted = targets.values !== undefined || this.#shares || classWeights !== undefined;
    this.#targets = new CsrBuffer(targets.columns, { weighted });
  }

  get examplesPerEpoch(): number {
    return this.#order.examplesPerEpoch;
  }

  get batchSize(): number {
    return this.#order.batchSize;
  }

  next(): SparseBatch {
    const { examples, epoch, endOfEpoch } = this.#order.next();
    this.#inputs.clear();
    this.#targets.clear();
    for (let place = 0; place < examples.length; place++) {
      const row = this.#rows === undefined ? examples[place]! : this.#rows[examples[place]!]!;
      examples[place] = row;
      this.#copyInputs(row, this.#inputs);
      copyRow(this.#sourceTargets, row, this.#targets);
      if (this.#shares) this.#targets.normalizeRow();
      if (this.#classWeights !== undefined) this.#targets.scaleRow(this.#classWeights);
      this.#inputs.endRow();
      this.#targets.endRow();
    }
    return {
      size: examples.length,
      inputs: this.#inputs.rows(),
      targets: this.#targets.rows(),
      targetIds: undefined,
      examples,
      epoch,
      endOfEpoch,
    };
  }

  /** The position in the sequence, as plain JSON. */
  cursor(): BatchCursor {
    return this.#order.cursor();
  }

  /**
   * Continues from a cursor.
   * @throws SparseDataError `bad-cursor` for an invalid cursor; the position then does not change.
   */
  seek(cursor: unknown): void {
    this.#order.seek(cursor);
  }
}

function copyRow(source: CsrRows, row: number, out: CsrBuffer): void {
  const { offsets, indices, values } = source;
  for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++)
    out.add(indices[entry]!, values === undefined ? 1 : values[entry]!);
}

function checkClassWeights(weights: Float64Array | undefined, classes: number): void {
  if (weights === undefined) return;
  if (weights.length !== classes)
    throw new SparseDataError(
      'shape',
      `SparseBatches: there are ${weights.length} class weights for ${classes} classes; one each is needed`,
    );
  const wrong = weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
  if (wrong !== -1)
    throw new SparseDataError(
      'non-finite-value',
      `SparseBatches: the weight of class ${wrong} is ${String(weights[wrong])}; a finite number of at least 0 is needed`,
    );
}

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

/**
 * The weights of the classes of an example. `given`: as in the data, or 1 without values, so that an example with more
 * classes has a larger loss. `shares`: scaled to a sum of 1, which is a distribution over the classes, as a softmax can
 * fit.
 */
export type TargetWeights = 'given' | 'shares';

export function checkTargetWeights(where: string, value: unknown): void {
  if (value !== 'given' && value !== 'shares')
    throw new SparseDataError('bad-option', `${where}: targetWeights is ${show(value)}; given or shares is needed`);
}
