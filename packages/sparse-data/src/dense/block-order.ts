// The order of examples for rows that are read from a disk where single rows are slow: blocks of consecutive rows are
// put into a random order, `count` of them at a time are read as a window, and the rows of a window are put into a
// random order. Every choice follows from seed, epoch and place, so a cursor is a position, as in any other order.

import { parseBatchCursor, type BatchCursor } from '../batches/batch-cursor.ts';
import type { ExampleOrderOptions, OrderedExamples } from '../batches/example-order.ts';
import { checkInteger, SparseDataError } from '../errors.ts';
import { IndexPermutation } from '../random/random.ts';

/** How rows of a file are shuffled that do not fit in memory. */
export interface ShuffleBlocks {
  /** Consecutive rows of a block. */
  readonly rows: number;
  /** Blocks of a window; its rows are in memory together. */
  readonly count: number;
}

/** One minibatch; its arrays are reused. */
export interface WindowedExamples extends OrderedExamples {
  /** Place of each example in `window`. */
  readonly places: Int32Array;
  /** The examples of the window, ascending within each block. */
  readonly window: Int32Array;
  /** Whether the window is another one than before. */
  readonly isNewWindow: boolean;
}

/** As ExampleOrder. No minibatch is of two windows: the last of a window may be smaller. */
export class BlockOrder {
  readonly examplesPerEpoch: number;
  readonly batchSize: number;
  readonly #blocks: ShuffleBlocks;
  readonly #blockCount: number;
  readonly #blockOrder: IndexPermutation;
  /** By the number of rows in a window. */
  readonly #rowOrders = new Map<number, IndexPermutation>();
  readonly #window: Int32Array;
  readonly #examples: Int32Array;
  readonly #places: Int32Array;
  /** Number of the window in its epoch, its first position, and its examples; 0 of them before the first is made. */
  #windowNumber = 0;
  #windowStart = 0;
  #windowSize = 0;
  #seed: number;
  #epoch = 0;
  #position = 0;

  /** @throws SparseDataError `empty-input`, `bad-option`. */
  constructor(examples: number, blocks: ShuffleBlocks, { batchSize, seed = 0, shuffle = true }: ExampleOrderOptions) {
    const where = 'DenseBatches';
    checkInteger(where, 'batchSize', batchSize, 1, 2 ** 31 - 1);
    checkInteger(where, 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    checkInteger(where, 'blocks.rows', blocks.rows, 1, 2 ** 31 - 1);
    checkInteger(where, 'blocks.count', blocks.count, 1, 2 ** 31 - 1);
    if (!shuffle) throw new SparseDataError('bad-option', `${where}: blocks are to shuffle by, but shuffle is false`);
    if (examples === 0)
      throw new SparseDataError('empty-input', `${where}: there are no examples; at least 1 is needed`);
    this.examplesPerEpoch = examples;
    this.batchSize = batchSize;
    this.#blocks = blocks;
    this.#blockCount = Math.ceil(examples / blocks.rows);
    this.#blockOrder = new IndexPermutation(this.#blockCount, seed);
    this.#window = new Int32Array(Math.min(examples, blocks.rows * blocks.count));
    this.#examples = new Int32Array(Math.min(batchSize, this.#window.length));
    this.#places = new Int32Array(this.#examples.length);
    this.#seed = seed;
  }

  /** Examples of a window at most. */
  get windowRows(): number {
    return this.#window.length;
  }

  next(): WindowedExamples {
    const isNewWindow = this.#windowSize === 0;
    if (isNewWindow) this.#fillWindow();
    const offset = this.#position - this.#windowStart;
    const size = Math.min(this.batchSize, this.#windowSize - offset);
    const rows = this.#rowOrder(this.#windowSize);
    const window = this.#window.subarray(0, this.#windowSize);
    const places = this.#places.subarray(0, size);
    const examples = this.#examples.subarray(0, size);
    for (let i = 0; i < size; i++) {
      places[i] = rows.at(offset + i);
      examples[i] = window[places[i]!]!;
    }
    const epoch = this.#epoch;
    this.#position += size;
    const endOfEpoch = this.#position === this.examplesPerEpoch;
    if (endOfEpoch) this.#begin(epoch + 1, 0);
    else if (offset + size === window.length) {
      this.#windowStart = this.#position;
      this.#windowNumber++;
      this.#windowSize = 0;
    }
    return { examples, places, window, isNewWindow, epoch, endOfEpoch };
  }

  /** The position in the sequence, as plain JSON. */
  cursor(): BatchCursor {
    return { epoch: this.#epoch, position: this.#position, seed: this.#seed, examples: this.examplesPerEpoch };
  }

  /** @throws SparseDataError `bad-cursor` for an invalid cursor; the position then does not change. */
  seek(cursor: unknown): void {
    const { epoch, position, seed } = parseBatchCursor('DenseBatches.seek', cursor, this.examplesPerEpoch);
    this.#seed = seed;
    this.#begin(epoch, position);
  }

  /** O(blocks before the position). */
  #begin(epoch: number, position: number): void {
    this.#epoch = epoch;
    this.#position = position;
    this.#blockOrder.rekey(this.#seed, epoch);
    this.#windowNumber = 0;
    this.#windowStart = 0;
    this.#windowSize = 0;
    for (let end = this.#sizeOfWindow(); end <= position; end += this.#sizeOfWindow()) {
      this.#windowStart = end;
      this.#windowNumber++;
    }
  }

  #sizeOfWindow(): number {
    const { rows, count } = this.#blocks;
    const first = this.#windowNumber * count;
    const end = Math.min(first + count, this.#blockCount);
    let size = (end - first) * rows;
    // The last block of the data may be shorter.
    const missing = this.#blockCount * rows - this.examplesPerEpoch;
    for (let place = first; missing > 0 && place < end; place++)
      if (this.#blockOrder.at(place) === this.#blockCount - 1) size -= missing;
    return size;
  }

  #fillWindow(): void {
    const { rows, count } = this.#blocks;
    const first = this.#windowNumber * count;
    for (let place = first; place < Math.min(first + count, this.#blockCount); place++) {
      const block = this.#blockOrder.at(place);
      const end = Math.min((block + 1) * rows, this.examplesPerEpoch);
      for (let row = block * rows; row < end; row++) this.#window[this.#windowSize++] = row;
    }
  }

  /** Of the rows of the window. */
  #rowOrder(size: number): IndexPermutation {
    let order = this.#rowOrders.get(size);
    if (order === undefined) {
      order = new IndexPermutation(size, this.#seed);
      this.#rowOrders.set(size, order);
    }
    order.rekey(this.#seed, this.#epoch * this.#blockCount + this.#windowNumber);
    return order;
  }
}
