// Set completion: in each epoch another random part of each set is the input, and the whole set (or the hidden part of
// it) is the target. Denoising autoencoders of implicit feedback (Wu et al., WSDM 2016; arXiv:1802.05814) are trained
// in this way.
//
// Whether an element is shown is a hash of the seed, the epoch and the position of the element in the data. So nothing
// is stored, and after seek() the same parts are shown again.

import type { BatchCursor } from './batch-cursor.ts';
import { CsrBuffer } from '../csr/csr-buffer.ts';
import { validateCsrRows, type CsrRows } from '../csr/csr-rows.ts';
import { SparseDataError, show } from '../errors.ts';
import { ExampleOrder, type ExampleOrderOptions } from './example-order.ts';
import { mix32, seedWord } from '../random/random.ts';
import type { SparseBatch } from './sparse-batches.ts';
import { checkRowNumbers, checkTargetWeights, type TargetWeights } from './target-rows.ts';

/** Sets of items, of which a part is shown and the rest, or all, is predicted. */
export interface SetBatchesOptions extends ExampleOrderOptions {
  /**
   * One set per row; columns are all elements. Referenced, not copied. Values are the weights of the elements as inputs
   * and as targets.
   */
  readonly sets: CsrRows;
  /** The rows to use; default all. */
  readonly rows?: Int32Array;
  /** Probability, in (0, 1], that an element is shown. At least one element of a set is. */
  readonly shown: number;
  /**
   * `whole` (default): the target is the set. `hidden`: the target is the part that is not shown, at least one element
   * if the set has two or more.
   */
  readonly predict?: 'whole' | 'hidden';
  /** Default `shares`; see TargetWeights. */
  readonly targetWeights?: TargetWeights;
}

/**
 * An endless sequence of minibatches, epoch after epoch, determined by its options. next() costs O(number of elements
 * in the batch).
 */
export class SetBatches {
  readonly #order: ExampleOrder;
  readonly #rows: Int32Array | undefined;
  readonly #sets: CsrRows;
  readonly #shown: number;
  readonly #predictsHidden: boolean;
  readonly #shares: boolean;
  readonly #inputs: CsrBuffer;
  readonly #targets: CsrBuffer;
  #scores = new Float64Array(64);

  /** @throws SparseDataError `shape` and `index-out-of-range` for invalid rows, `empty-input`, `bad-option`. */
  constructor(options: SetBatchesOptions) {
    const { sets, rows, shown, predict = 'whole', targetWeights = 'shares' } = options;
    validateCsrRows(sets, 'SetBatches: sets');
    checkRowNumbers('SetBatches', rows, sets.rows);
    checkTargetWeights('SetBatches', targetWeights);
    if (!(shown > 0 && shown <= 1))
      throw new SparseDataError(
        'bad-option',
        `SetBatches: shown is ${show(shown)}; a number above 0 and at most 1 is needed`,
      );
    if (predict !== 'whole' && predict !== 'hidden')
      throw new SparseDataError('bad-option', `SetBatches: predict is ${show(predict)}; whole or hidden is needed`);
    this.#order = new ExampleOrder('SetBatches', rows?.length ?? sets.rows, options);
    this.#rows = rows;
    this.#sets = sets;
    this.#shown = shown;
    this.#predictsHidden = predict === 'hidden';
    this.#shares = targetWeights === 'shares';
    this.#inputs = new CsrBuffer(sets.columns, { weighted: sets.values !== undefined });
    this.#targets = new CsrBuffer(sets.columns, { weighted: sets.values !== undefined || this.#shares });
  }

  get examplesPerEpoch(): number {
    return this.#order.examplesPerEpoch;
  }

  get batchSize(): number {
    return this.#order.batchSize;
  }

  next(): SparseBatch {
    const { seed } = this.#order;
    const { examples, epoch, endOfEpoch } = this.#order.next();
    const key = seedWord(seed, 2 * epoch) ^ mix32(seedWord(epoch, 1));
    this.#inputs.clear();
    this.#targets.clear();
    for (let place = 0; place < examples.length; place++) {
      const row = this.#rows === undefined ? examples[place]! : this.#rows[examples[place]!]!;
      examples[place] = row;
      this.#addSet(row, key);
      if (this.#shares) this.#targets.normalizeRow();
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

  #addSet(row: number, key: number): void {
    const { offsets, indices, values } = this.#sets;
    const start = offsets[row]!;
    const count = offsets[row + 1]! - start;
    if (this.#scores.length < count) this.#scores = new Float64Array(2 * count);
    const scores = this.#scores;
    let lowest = 0;
    let highest = 0;
    for (let i = 0; i < count; i++) {
      scores[i] = (mix32(key ^ mix32(start + i + 1)) >>> 0) / 2 ** 32;
      if (scores[i]! < scores[lowest]!) lowest = i;
      if (scores[i]! >= scores[highest]!) highest = i;
    }
    for (let i = 0; i < count; i++) {
      // The element with the lowest hash is always shown; with `hidden`, the element with the highest hash is never
      // shown.
      const isShown = i === lowest || (scores[i]! < this.#shown && !(this.#predictsHidden && i === highest));
      const value = values === undefined ? 1 : values[start + i]!;
      if (isShown) this.#inputs.add(indices[start + i]!, value);
      if (!isShown || !this.#predictsHidden) this.#targets.add(indices[start + i]!, value);
    }
  }
}
