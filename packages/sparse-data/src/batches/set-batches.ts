// Sets completed from a part of them: in each epoch another random part of a set is shown, and the set (or what was not
// shown of it) is to be predicted. Denoising autoencoders of implicit feedback (Wu et al., WSDM 2016; arXiv:1802.05814)
// train so.
//
// Whether an element is shown follows from seed, epoch and its place in the data by a hash: nothing is stored, and a
// cursor resumes with the very same parts.

import type { BatchCursor } from './batch-cursor.ts';
import { CsrBuffer } from '../csr/csr-buffer.ts';
import { validateCsrRows, type CsrRows } from '../csr/csr-rows.ts';
import { SparseDataError } from '../errors.ts';
import { ExampleOrder, type ExampleOrderOptions } from './example-order.ts';
import { mix32, seedWord } from '../random/random.ts';
import { show } from '../errors.ts';
import { checkRowNumbers, type SparseBatch } from './sparse-batches.ts';
import { checkTargetWeights, type TargetWeights } from './sparse-batches.ts';

export interface SetBatchesOptions extends ExampleOrderOptions {
  /** A set a row, over all elements; referenced, not copied. Values weigh the elements as inputs and as targets. */
  readonly sets: CsrRows;
  /** The rows to take; all unless given. */
  readonly rows?: Int32Array;
  /** Probability, in (0, 1], that an element is shown. At least one element of a set is. */
  readonly shown: number;
  /** `whole` (default): the set; `hidden`: what was not shown of it, at least one element of a set of two or more. */
  readonly predict?: 'whole' | 'hidden';
  /** Default `shares`; see TargetWeights. */
  readonly targetWeights?: TargetWeights;
}

/**
 * An endless sequence of minibatches, epoch after epoch, determined by its options. next() costs O(elements of the
 * batch).
 */
export class SetBatches {
  readonly #order: ExampleOrder;
  readonly #rows: Int32Array | undefined;
  readonly #sets: CsrRows;
  readonly #shown: number;
  readonly #hidesSome: boolean;
  readonly #shares: boolean;
  readonly #inputs: CsrBuffer;
  readonly #targets: CsrBuffer;
  #scores = new Float64Array(64);

  /** @throws SparseDataError `shape` and `index-out-of-range` for rows that are none, `empty-input`, `bad-option`. */
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
    this.#hidesSome = predict === 'hidden';
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

  /** Where the sequence stands, as plain JSON. */
  cursor(): BatchCursor {
    return this.#order.cursor();
  }

  /**
   * Continues from a cursor.
   * @throws SparseDataError `bad-cursor` for one that does not fit; the sequence then stays where it was.
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
    let least = 0;
    let greatest = 0;
    for (let i = 0; i < count; i++) {
      scores[i] = (mix32(key ^ mix32(start + i + 1)) >>> 0) / 2 ** 32;
      if (scores[i]! < scores[least]!) least = i;
      if (scores[i]! >= scores[greatest]!) greatest = i;
    }
    for (let i = 0; i < count; i++) {
      // The first one drawn is shown and, where something has to be predicted, the last one is not.
      const isShown = i === least || (scores[i]! < this.#shown && !(this.#hidesSome && i === greatest));
      const value = values === undefined ? 1 : values[start + i]!;
      if (isShown) this.#inputs.add(indices[start + i]!, value);
      if (!isShown || !this.#hidesSome) this.#targets.add(indices[start + i]!, value);
    }
  }
}
