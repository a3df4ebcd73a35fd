// Minibatches of sparse inputs with sparse targets, from rows in memory, or inputs from where they are read, such as
// documents and their labels, or users and items.

import type { BatchCursor } from './batch-cursor.ts';
import { ExampleOrder, type ExampleOrderOptions } from './example-order.ts';
import { CsrBuffer } from '../csr/csr-buffer.ts';
import { type CsrRows, validateCsrRows } from '../csr/csr-rows.ts';
import { checkRowNumbers, checkSameRows, copyRow, TargetRows, type TargetOptions } from './target-rows.ts';

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
  /** Undefined: an example may have any number of classes. */
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
export interface SparseBatchesOptions extends ExampleOrderOptions, TargetOptions {
  /** Features of each example, as many rows as targets; referenced, not copied. */
  readonly inputs: CsrRows | SparseRowSource;
  /** The rows to use, such as those of one part of a split; default all. */
  readonly rows?: Int32Array;
}

/**
 * An endless sequence of minibatches, epoch after epoch, determined by its options. next() costs O(number of entries in
 * the batch).
 */
export class SparseBatches {
  readonly #order: ExampleOrder;
  readonly #rows: Int32Array | undefined;
  readonly #copyInputs: SparseRowSource['copyRow'];
  readonly #inputs: CsrBuffer;
  readonly #targets: TargetRows;

  /**
   * @throws SparseDataError `shape` if inputs and targets differ in rows or are not valid CsrRows,
   * `index-out-of-range`, `empty-input`, `bad-option`. Everything is checked once, O(entries).
   */
  constructor(options: SparseBatchesOptions) {
    const { inputs, targets, rows } = options;
    const isInMemory = !('copyRow' in inputs);
    if (isInMemory) validateCsrRows(inputs, 'SparseBatches: inputs');
    this.#targets = new TargetRows('SparseBatches', options);
    checkSameRows('SparseBatches', inputs.rows, targets.rows);
    checkRowNumbers('SparseBatches', rows, inputs.rows);
    this.#order = new ExampleOrder('SparseBatches', rows?.length ?? inputs.rows, options);
    this.#rows = rows;
    this.#copyInputs = isInMemory
      ? (row, out) => {
          copyRow(inputs, row, out);
        }
      : inputs.copyRow;
    this.#inputs = new CsrBuffer(inputs.columns, {
      weighted: isInMemory ? inputs.values !== undefined : inputs.isWeighted,
    });
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
      this.#inputs.endRow();
      this.#targets.add(row);
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
