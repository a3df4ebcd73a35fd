// Minibatches of dense inputs with sparse targets: vectors that an encoder made, and their labels. The rows may be in
// memory or in a file that is larger; either a minibatch reads its own rows, or blocks of them are read ahead of it.

import type { BatchCursor } from '../batches/batch-cursor.ts';
import { ExampleOrder, type ExampleOrderOptions } from '../batches/example-order.ts';
import { checkRowNumbers, checkSameRows, TargetRows, type TargetOptions } from '../batches/target-rows.ts';
import type { CsrRows } from '../csr/csr-rows.ts';
import { SparseDataError } from '../errors.ts';
import { BlockOrder, type ShuffleBlocks } from './block-order.ts';
import { sourceOfRows, type DenseRows, type DenseRowSource, type DenseValues } from './dense-rows.ts';

/** One minibatch. Its arrays are reused: they are valid until the next call of next(). */
export interface DenseBatch {
  /** m, the number of examples. */
  readonly size: number;
  /** m rows, of f32 or f64: the features of each example. */
  readonly inputs: DenseRows;
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

/** Inputs as dense rows and targets as sparse ones, row by row the same examples. */
export interface DenseBatchesOptions extends ExampleOrderOptions, TargetOptions {
  /** Features of each example, as many rows as targets; referenced, not copied. */
  readonly inputs: DenseRows | DenseRowSource;
  /** The rows to use, such as those of one part of a split; default all. */
  readonly rows?: Int32Array;
  /**
   * For a file larger than memory, on a disk where single rows are slow: shuffles by blocks. Default: every order of
   * examples is as likely, and each minibatch reads its own rows.
   */
  readonly blocks?: ShuffleBlocks;
}

/**
 * An endless sequence of minibatches, epoch after epoch, determined by its options. next() costs O(m·columns) and, but
 * for views, allocates nothing; memory: a minibatch, and with `blocks` a window.
 */
export class DenseBatches {
  readonly #order: ExampleOrder | BlockOrder;
  readonly #rows: Int32Array | undefined;
  readonly #inputs: DenseRowSource;
  readonly #targets: TargetRows;
  readonly #values: DenseValues;
  /** The rows of the window, and their numbers; of no length without blocks. */
  readonly #window: DenseValues;
  readonly #windowRows: Int32Array;
  /** False from when another window begins until it has been read, which may fail. */
  #windowIsRead = false;

  /**
   * @throws SparseDataError `shape` if inputs and targets differ in rows or targets are not valid CsrRows,
   * `index-out-of-range`, `empty-input`, `bad-option`. Targets are checked once, O(entries).
   */
  constructor(options: DenseBatchesOptions) {
    const { inputs, targets, rows, blocks } = options;
    const source = 'copyRows' in inputs ? inputs : sourceOfRows(inputs);
    this.#targets = new TargetRows('DenseBatches', options);
    checkSameRows('DenseBatches', source.rows, targets.rows);
    checkRowNumbers('DenseBatches', rows, source.rows);
    const examples = rows?.length ?? source.rows;
    this.#order =
      blocks === undefined
        ? new ExampleOrder('DenseBatches', examples, options)
        : new BlockOrder(examples, blocks, options);
    this.#rows = rows;
    this.#inputs = source;
    const create = (count: number): DenseValues =>
      source.precision === 'f64' ? new Float64Array(count * source.columns) : new Float32Array(count * source.columns);
    this.#values = create(Math.min(options.batchSize, examples));
    const windowRows = this.#order instanceof BlockOrder ? this.#order.windowRows : 0;
    this.#window = create(windowRows);
    this.#windowRows = new Int32Array(windowRows);
  }

  get examplesPerEpoch(): number {
    return this.#order.examplesPerEpoch;
  }

  get batchSize(): number {
    return this.#order.batchSize;
  }

  /**
   * @throws SparseDataError `non-finite-value` for a number that is not finite, and what the source throws; the
   * position has then moved on.
   */
  next(): DenseBatch {
    const order = this.#order;
    const columns = this.#inputs.columns;
    let examples: Int32Array;
    let end: { readonly epoch: number; readonly endOfEpoch: boolean };
    if (order instanceof BlockOrder) {
      const next = order.next();
      if (next.isNewWindow) this.#windowIsRead = false;
      if (!this.#windowIsRead) this.#readWindow(next.window);
      ({ examples } = this.#numbered(next));
      for (const [row, place] of next.places.entries())
        for (let i = 0; i < columns; i++) this.#values[row * columns + i] = this.#window[place * columns + i]!;
      end = next;
    } else {
      const next = order.next();
      ({ examples } = this.#numbered(next));
      this.#inputs.copyRows(examples, this.#values);
      end = next;
    }
    const size = examples.length;
    const values = this.#values.subarray(0, size * columns);
    checkFinite(values, columns, examples);
    this.#targets.clear();
    for (let row = 0; row < size; row++) this.#targets.add(examples[row]!);
    return {
      size,
      inputs: { rows: size, columns, values },
      targets: this.#targets.rows(),
      targetIds: undefined,
      examples,
      epoch: end.epoch,
      endOfEpoch: end.endOfEpoch,
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

  /** The numbers of the examples become those of the data's rows. */
  #numbered<Numbers extends { readonly examples: Int32Array }>(numbers: Numbers): Numbers {
    const rows = this.#rows;
    const { examples } = numbers;
    if (rows !== undefined) for (let i = 0; i < examples.length; i++) examples[i] = rows[examples[i]!]!;
    return numbers;
  }

  #readWindow(window: Int32Array): void {
    const numbers = this.#windowRows.subarray(0, window.length);
    numbers.set(window);
    this.#numbered({ examples: numbers });
    this.#inputs.copyRows(numbers, this.#window);
    this.#windowIsRead = true;
  }
}

/** @throws SparseDataError `non-finite-value`, naming row and column. */
function checkFinite(values: DenseValues, columns: number, rows: Int32Array): void {
  // A sum is finite where all numbers are, but for an overflow, which the search then does not find.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  if (Number.isFinite(sum)) return;
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong === -1) return;
  throw new SparseDataError(
    'non-finite-value',
    `DenseBatches: row ${rows[Math.floor(wrong / columns)]!}, column ${wrong % columns}: the feature is ${values[wrong]!}; features must be finite`,
  );
}
