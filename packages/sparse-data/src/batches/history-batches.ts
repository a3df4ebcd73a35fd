// Whole sequences, one after the other, for models that see all of a sequence at once and keep no state (SASRec, W. Kang
// and J. McAuley, arXiv:1808.09781 §III-A). They lie side by side without padding: a minibatch takes sequences as long
// as they fit.

import { badCursor, cursorFields, integerBelow } from './batch-cursor.ts';
import { validateCsrRows, type CsrRows } from '../csr/csr-rows.ts';
import { SparseDataError, checkInteger, show } from '../errors.ts';
import { IndexPermutation } from '../random/random.ts';
import { SequenceRows, type SequenceBatch } from './sequence-batch.ts';

/** Sequences of items, and how many positions of them a minibatch has. */
export interface HistoryBatchesOptions {
  /**
   * One sequence per row: its items in chronological order. Sequences with fewer than two items are ignored. Values are
   * ignored.
   */
  readonly histories: CsrRows;
  /** The most positions of a sequence: of a longer one the last `length` items that have a next one are read. */
  readonly length: number;
  /** The most positions of a minibatch, at least `length`. */
  readonly batchSize: number;
  /** An integer in [0, 2^53); default 0. Each epoch of a seed has its own order. */
  readonly seed?: number;
}

/** The position of HistoryBatches: plain JSON for a checkpoint. */
export interface HistoryCursor {
  readonly epoch: number;
  readonly seed: number;
  /** Number of sequences of this epoch that have been read. */
  readonly read: number;
  readonly examples: number;
}

/**
 * An endless sequence of minibatches, epoch after epoch, determined by its options: each position is an example, whose
 * target is the item after it. A minibatch is one stream of whole sequences, which begin where `starts` is 1. next()
 * costs O(batchSize).
 */
export class HistoryBatches {
  readonly examplesPerEpoch: number;
  readonly batchSize: number;
  readonly #histories: CsrRows;
  readonly #length: number;
  readonly #usable: Int32Array;
  readonly #permutation: IndexPermutation;
  readonly #rows: SequenceRows;
  #seed: number;
  #epoch = 0;
  #read = 0;

  /** @throws SparseDataError `empty-input` if no sequence has two items, `bad-option`, and as validateCsrRows. */
  constructor(options: HistoryBatchesOptions) {
    const { histories, length, batchSize, seed = 0 } = options;
    validateCsrRows(histories, 'HistoryBatches: histories');
    checkInteger('HistoryBatches', 'length', length, 1, 2 ** 20);
    checkInteger('HistoryBatches', 'batchSize', batchSize, length, 2 ** 24);
    checkInteger('HistoryBatches', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    const { rows, offsets } = histories;
    this.#histories = histories;
    this.#length = length;
    this.#usable = Int32Array.from({ length: rows }, (_, row) => row).filter(
      (row) => offsets[row + 1]! - offsets[row]! >= 2,
    );
    if (this.#usable.length === 0)
      throw new SparseDataError(
        'empty-input',
        `HistoryBatches: none of ${rows} sequences has two items; a next item needs one before it`,
      );
    this.examplesPerEpoch = this.#usable.reduce((sum, row) => sum + this.#positionsOf(row), 0);
    this.batchSize = batchSize;
    this.#seed = seed;
    this.#permutation = new IndexPermutation(this.#usable.length, seed);
    this.#rows = new SequenceRows(1, batchSize, histories.columns);
  }

  /** The next minibatch: at least one sequence, and `batchSize` positions at most. */
  next(): SequenceBatch {
    const { offsets, indices } = this.#histories;
    const { inputs, starts } = this.#rows;
    const epoch = this.#epoch;
    this.#rows.clear();
    let rows = 0;
    for (; this.#read < this.#usable.length; this.#read++) {
      const history = this.#usable[this.#permutation.at(this.#read)]!;
      const positions = this.#positionsOf(history);
      if (rows + positions > this.batchSize) break;
      const first = offsets[history + 1]! - 1 - positions;
      for (let i = 0; i < positions; i++, rows++) {
        inputs[rows] = indices[first + i]!;
        starts[rows] = i === 0 ? 1 : 0;
        this.#rows.predict(rows, indices[first + i + 1]!);
      }
    }
    const endOfEpoch = this.#read === this.#usable.length;
    if (endOfEpoch) {
      this.#epoch++;
      this.#read = 0;
      this.#permutation.rekey(this.#seed, this.#epoch);
    }
    return this.#rows.batch(rows, epoch, endOfEpoch);
  }

  /** The position in the sequence, as plain JSON. */
  cursor(): HistoryCursor {
    return { epoch: this.#epoch, seed: this.#seed, read: this.#read, examples: this.examplesPerEpoch };
  }

  /**
   * Continues from a cursor.
   * @throws SparseDataError `bad-cursor` for an invalid cursor; the position then does not change.
   */
  seek(cursor: unknown): void {
    const where = 'HistoryBatches.seek';
    const fields = cursorFields(where, cursor);
    if (fields['examples'] !== this.examplesPerEpoch) {
      throw badCursor(
        where,
        `the cursor belongs to data of ${show(fields['examples'])} examples, this has ${this.examplesPerEpoch}; resume with the same sequences and length`,
      );
    }
    const epoch = integerBelow(where, 'epoch', fields['epoch'], Number.MAX_SAFE_INTEGER);
    const seed = integerBelow(where, 'seed', fields['seed'], Number.MAX_SAFE_INTEGER + 1);
    this.#read = integerBelow(where, 'read', fields['read'], this.#usable.length);
    this.#epoch = epoch;
    this.#seed = seed;
    this.#permutation.rekey(seed, epoch);
  }

  #positionsOf(row: number): number {
    const { offsets } = this.#histories;
    return Math.min(this.#length, offsets[row + 1]! - offsets[row]! - 1);
  }
}
