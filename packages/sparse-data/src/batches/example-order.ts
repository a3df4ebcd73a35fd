// The order of examples: every example once per epoch, in a computed permutation (IndexPermutation in random.ts) or in
// their original order. Every kind of batches with random access to its examples uses an ExampleOrder and a function
// that copies an example.

import { parseBatchCursor, type BatchCursor } from './batch-cursor.ts';
import { checkInteger, SparseDataError } from '../errors.ts';
import { IndexPermutation } from '../random/random.ts';

/** The size of a minibatch, and the seed of the order. */
export interface ExampleOrderOptions {
  /** Size of a full minibatch; the last minibatch of an epoch may be smaller. */
  readonly batchSize: number;
  /** An integer in [0, 2^53); default 0. Each epoch of a seed has its own order. */
  readonly seed?: number;
  /** Default true. With false, examples keep their original order in every epoch, as for evaluation. */
  readonly shuffle?: boolean;
}

/** The examples of one minibatch. The array is reused: it is valid until the next call of next(). */
export interface OrderedExamples {
  readonly examples: Int32Array;
  readonly epoch: number;
  readonly endOfEpoch: boolean;
}

/** An endless sequence of lists of example numbers in [0, examplesPerEpoch). next() costs O(batchSize). */
export class ExampleOrder {
  readonly examplesPerEpoch: number;
  readonly batchSize: number;
  readonly #where: string;
  readonly #permutation: IndexPermutation | undefined;
  readonly #buffer: Int32Array;
  #seed: number;
  #epoch = 0;
  #position = 0;

  /**
   * @param where name of the batches in error messages.
   * @throws SparseDataError `empty-input` for no examples, `bad-option`.
   */
  constructor(where: string, examples: number, options: ExampleOrderOptions) {
    const { batchSize, seed = 0, shuffle = true } = options;
    checkInteger(where, 'batchSize', batchSize, 1, 2 ** 31 - 1);
    checkInteger(where, 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    if (examples === 0)
      throw new SparseDataError('empty-input', `${where}: there are no examples; at least 1 is needed`);
    this.#where = where;
    this.examplesPerEpoch = examples;
    this.batchSize = batchSize;
    this.#seed = seed;
    this.#permutation = shuffle ? new IndexPermutation(examples, seed) : undefined;
    this.#buffer = new Int32Array(Math.min(batchSize, examples));
  }

  get epoch(): number {
    return this.#epoch;
  }

  get seed(): number {
    return this.#seed;
  }

  next(): OrderedExamples {
    const size = Math.min(this.batchSize, this.examplesPerEpoch - this.#position);
    const examples = this.#buffer.subarray(0, size);
    const permutation = this.#permutation;
    for (let row = 0; row < size; row++) {
      const position = this.#position + row;
      examples[row] = permutation === undefined ? position : permutation.at(position);
    }
    const epoch = this.#epoch;
    this.#position += size;
    const endOfEpoch = this.#position === this.examplesPerEpoch;
    if (endOfEpoch) {
      this.#position = 0;
      this.#epoch++;
      permutation?.rekey(this.#seed, this.#epoch);
    }
    return { examples, epoch, endOfEpoch };
  }

  /** The position in the sequence, as plain JSON. */
  cursor(): BatchCursor {
    return { epoch: this.#epoch, position: this.#position, seed: this.#seed, examples: this.examplesPerEpoch };
  }

  /** @throws SparseDataError `bad-cursor` for an invalid cursor; the position then does not change. */
  seek(cursor: unknown): void {
    const { epoch, position, seed } = parseBatchCursor(`${this.#where}.seek`, cursor, this.examplesPerEpoch);
    this.#epoch = epoch;
    this.#position = position;
    this.#seed = seed;
    this.#permutation?.rekey(seed, epoch);
  }
}
