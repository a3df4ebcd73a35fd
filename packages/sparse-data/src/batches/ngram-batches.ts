// Minibatches of n-gram examples over an encoded text: example e predicts the token at first + e from the `order`
// tokens before it.
//
// No list of examples is stored: the shuffle is a computed permutation (IndexPermutation in random.ts), and contexts
// are copied from the token array into one buffer that all batches share. A cursor is therefore a few integers, and
// seek() costs O(1).

import { parseBatchCursor, type BatchCursor } from './batch-cursor.ts';
import { singleTargets, type CsrRows } from '../csr/csr-rows.ts';
import { SparseDataError, checkInteger, show } from '../errors.ts';
import { IndexPermutation } from '../random/random.ts';

/** A text as numbers, how many words are looked at, and how many examples a minibatch has. */
export interface NgramBatchesOptions {
  /** The encoded text; referenced, not copied. */
  readonly tokens: Int32Array;
  /** Number of classes: the columns of the targets. Every token must be below it. */
  readonly classes: number;
  /** Number of previous tokens in a context, at least 1. */
  readonly order: number;
  readonly batchSize: number;
  /**
   * Token id for positions of a context before the start of the text. `classes` is allowed, if the padding has a
   * separate input row.
   */
  readonly paddingId: number;
  /** An integer in [0, 2^53); default 0. Each epoch of a seed has its own order. */
  readonly seed?: number;
  /** Default true. With false, examples keep the order of the text in every epoch, as for evaluation. */
  readonly shuffle?: boolean;
  /**
   * Targets are the tokens at positions first (default 0) to last (exclusive; default tokens.length). A context may
   * begin before first.
   */
  readonly first?: number;
  readonly last?: number;
}

/** One minibatch. The object and its arrays are reused: they are valid until the next call of next(). */
export interface NgramBatch {
  /** Number of examples: batchSize, or fewer in the last batch of an epoch. */
  readonly size: number;
  /**
   * size×order token ids, row-major. A row is in the order of the text; its last token is the one directly before the
   * target.
   */
  readonly contexts: Int32Array;
  /** One class of weight 1 per example: size rows, `classes` columns; uses targetIds as its indices. */
  readonly targets: CsrRows;
  readonly targetIds: Int32Array;
  /** Epoch, from 0, that this batch belongs to. */
  readonly epoch: number;
  /** Whether it is the last batch of its epoch. */
  readonly endOfEpoch: boolean;
}

type ReusedBatch = { -readonly [Key in keyof NgramBatch]: NgramBatch[Key] };

/**
 * An endless sequence of minibatches, epoch after epoch, determined by its options. next() costs O(batchSize · order).
 * It allocates nothing after the first batch of each size (the last batch of an epoch may be smaller).
 */
export class NgramBatches {
  readonly examplesPerEpoch: number;
  readonly batchesPerEpoch: number;
  readonly order: number;
  readonly batchSize: number;
  readonly #tokens: Int32Array;
  readonly #classes: number;
  readonly #paddingId: number;
  readonly #first: number;
  readonly #permutation: IndexPermutation | undefined;
  readonly #fullBatch: ReusedBatch;
  #smallerBatch: ReusedBatch;
  #seed: number;
  #epoch = 0;
  #position = 0;

  /**
   * @throws SparseDataError `empty-input` for no examples, `index-out-of-range` for a token that is not a class (the
   * text is checked once, O(tokens)), `bad-option`.
   */
  constructor(options: NgramBatchesOptions) {
    const {
      tokens,
      classes,
      order,
      batchSize,
      paddingId,
      seed = 0,
      shuffle = true,
      first = 0,
      last = tokens.length,
    } = options;
    checkInteger('NgramBatches', 'classes', classes, 1, 2 ** 31 - 1);
    checkInteger('NgramBatches', 'order', order, 1, 2 ** 16);
    checkInteger('NgramBatches', 'batchSize', batchSize, 1, Math.floor((2 ** 31 - 1) / order));
    checkInteger('NgramBatches', 'paddingId', paddingId, 0, classes);
    checkInteger('NgramBatches', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    if (tokens.length === 0)
      throw new SparseDataError('empty-input', 'NgramBatches: the text has no tokens; at least 1 is needed');
    checkInteger('NgramBatches', 'last', last, 0, tokens.length);
    checkInteger('NgramBatches', 'first', first, 0, last);
    if (first === last)
      throw new SparseDataError(
        'empty-input',
        `NgramBatches: first and last are both ${first}, which leaves no examples; last must be larger`,
      );
    checkTokens(tokens, classes, Math.max(0, first - order), last);
    this.#tokens = tokens;
    this.#classes = classes;
    this.#paddingId = paddingId;
    this.#first = first;
    this.#seed = seed;
    this.order = order;
    this.batchSize = batchSize;
    this.examplesPerEpoch = last - first;
    this.batchesPerEpoch = Math.ceil(this.examplesPerEpoch / batchSize);
    this.#permutation = shuffle ? new IndexPermutation(this.examplesPerEpoch, seed) : undefined;
    this.#fullBatch = this.#createBatch(new Int32Array(batchSize * order), new Int32Array(batchSize));
    this.#smallerBatch = this.#fullBatch;
  }

  /** The next minibatch, in a reused object; after the end of an epoch the first of the next one. */
  next(): NgramBatch {
    const size = Math.min(this.batchSize, this.examplesPerEpoch - this.#position);
    const batch = this.#batchOfSize(size);
    const permutation = this.#permutation;
    for (let row = 0; row < size; row++) {
      const position = this.#position + row;
      this.#writeExample(batch, row, this.#first + (permutation === undefined ? position : permutation.at(position)));
    }
    batch.epoch = this.#epoch;
    this.#position += size;
    batch.endOfEpoch = this.#position === this.examplesPerEpoch;
    if (batch.endOfEpoch) {
      this.#position = 0;
      this.#epoch++;
      permutation?.rekey(this.#seed, this.#epoch);
    }
    return batch;
  }

  /** The position in the sequence, as plain JSON. */
  cursor(): NgramCursor {
    return { epoch: this.#epoch, position: this.#position, seed: this.#seed, examples: this.examplesPerEpoch };
  }

  /**
   * Continues from a cursor, with its seed, exactly as the sequence it was taken from would have (given the same
   * options).
   * @throws SparseDataError `bad-cursor` for an invalid cursor; the position then does not change.
   */
  seek(cursor: unknown): void {
    const { epoch, position, seed } = parseNgramCursor(cursor, this.examplesPerEpoch);
    this.#epoch = epoch;
    this.#position = position;
    this.#seed = seed;
    this.#permutation?.rekey(seed, epoch);
  }

  #writeExample(batch: ReusedBatch, row: number, target: number): void {
    const tokens = this.#tokens;
    const contexts = batch.contexts;
    const order = this.order;
    const start = target - order;
    for (let place = 0; place < order; place++) {
      const position = start + place;
      contexts[row * order + place] = position < 0 ? this.#paddingId : tokens[position]!;
    }
    batch.targetIds[row] = tokens[target]!;
  }

  #batchOfSize(size: number): ReusedBatch {
    const full = this.#fullBatch;
    if (size === this.batchSize) return full;
    if (this.#smallerBatch.size !== size) {
      this.#smallerBatch = this.#createBatch(
        full.contexts.subarray(0, size * this.order),
        full.targetIds.subarray(0, size),
      );
    }
    return this.#smallerBatch;
  }

  #createBatch(contexts: Int32Array, targetIds: Int32Array): ReusedBatch {
    return {
      size: targetIds.length,
      contexts,
      targets: singleTargets(targetIds, this.#classes),
      targetIds,
      epoch: 0,
      endOfEpoch: false,
    };
  }
}

function checkTokens(tokens: Int32Array, classes: number, from: number, to: number): void {
  for (let position = from; position < to; position++) {
    const token = tokens[position]!;
    if (token < 0 || token >= classes) {
      throw new SparseDataError(
        'index-out-of-range',
        `NgramBatches: the token at position ${position} is ${show(token)}, but there are ${classes} classes; encode the text with the vocabulary of these classes`,
      );
    }
  }
}

/** The position of NgramBatches: plain JSON for a checkpoint. */
export type NgramCursor = BatchCursor;

/**
 * Checks a cursor that may come from a file.
 * @throws SparseDataError `bad-cursor`.
 */
function parseNgramCursor(value: unknown, examplesPerEpoch: number): NgramCursor {
  return parseBatchCursor('NgramBatches.seek', value, examplesPerEpoch);
}
