// Words and their contexts: continuous bag of words and skip-gram (Mikolov et al., arXiv:1301.3781, arXiv:1310.4546).
// With a window before the word only, the same batches predict the next item of a session from the items before it.
//
// The context of a word is one bag of any size. CBOW predicts the word from the bag; skip-gram predicts the bag, as
// weighted targets of one example, from the word. This gives the gradient of each (word, context word) pair at the cost
// of one example; word2vec makes one step per pair.

import type { BatchCursor } from './batch-cursor.ts';
import { CsrBuffer } from '../csr/csr-buffer.ts';
import type { CsrRows } from '../csr/csr-rows.ts';
import { ExampleOrder, type ExampleOrderOptions } from './example-order.ts';
import { SparseDataError, checkInteger, show } from '../errors.ts';
import { mix32, seedWord } from '../random/random.ts';
import { checkSegments, checkTokenRange, segmentAt, wholeText } from './segments.ts';
import type { SparseBatch } from './sparse-batches.ts';

/** A text as numbers, and the words before and after that belong to an example. */
export interface WindowBatchesOptions extends ExampleOrderOptions {
  /** The encoded text; referenced, not copied. */
  readonly tokens: Int32Array;
  /** Number of classes: every token must be below it. */
  readonly classes: number;
  /** Number of context words before and after the word; they must not both be 0. */
  readonly before: number;
  readonly after: number;
  /**
   * `centre`: predict the word from its context (CBOW). `context`: predict the context from the word (skip-gram), with
   * weights that sum to 1.
   */
  readonly predict: 'centre' | 'context';
  /**
   * Boundaries of the segments (sessions, documents): their starts, ascending from 0, and the end of the last. A
   * context does not cross a boundary. Default: one segment.
   */
  readonly segments?: Int32Array;
  /**
   * Default false. With true, the window size of each word is drawn in each epoch, from 1 to the larger of before and
   * after, so that near words count more, as in word2vec.
   */
  readonly drawReach?: boolean;
}

/**
 * An endless sequence of minibatches, epoch after epoch, determined by its options: one example for each token that has
 * a context. next() costs O(batchSize · (before + after)); memory: 4 bytes per token.
 */
export class WindowBatches {
  readonly #order: ExampleOrder;
  readonly #tokens: Int32Array;
  readonly #segments: Int32Array;
  readonly #centres: Int32Array;
  readonly #before: number;
  readonly #after: number;
  readonly #drawReach: boolean;
  readonly #predictsCentre: boolean;
  readonly #bags: CsrBuffer;
  readonly #words: CsrBuffer;

  /**
   * @throws SparseDataError `empty-input` if no token has a context, `index-out-of-range` for a token that is not a
   * class, `bad-option`.
   */
  constructor(options: WindowBatchesOptions) {
    const { tokens, classes, before, after, predict, drawReach = false } = options;
    const segments = options.segments ?? wholeText(tokens);
    checkInteger('WindowBatches', 'classes', classes, 1, 2 ** 31 - 1);
    checkInteger('WindowBatches', 'before', before, 0, 2 ** 16);
    checkInteger('WindowBatches', 'after', after, before === 0 ? 1 : 0, 2 ** 16);
    if (predict !== 'centre' && predict !== 'context') {
      throw new SparseDataError(
        'bad-option',
        `WindowBatches: predict is ${show(predict)}; centre or context is needed`,
      );
    }
    checkTokenRange('WindowBatches', tokens, classes);
    checkSegments('WindowBatches', segments, tokens.length);
    this.#tokens = tokens;
    this.#segments = segments;
    this.#before = before;
    this.#after = after;
    this.#drawReach = drawReach;
    this.#predictsCentre = predict === 'centre';
    this.#centres = centresOf(segments, before, after);
    this.#order = new ExampleOrder('WindowBatches', this.#centres.length, options);
    this.#bags = new CsrBuffer(classes, { weighted: predict === 'context' });
    this.#words = new CsrBuffer(classes, { weighted: false });
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
    const key = seedWord(seed, 2 * epoch) ^ mix32(seedWord(epoch, 2));
    this.#bags.clear();
    this.#words.clear();
    for (let row = 0; row < examples.length; row++) {
      const centre = this.#centres[examples[row]!]!;
      this.#addContext(centre, key);
      this.#words.add(this.#tokens[centre]!);
      this.#words.endRow();
      examples[row] = centre;
    }
    const bags = this.#bags.rows();
    const words = this.#words.rows();
    const [inputs, targets]: readonly [CsrRows, CsrRows] = this.#predictsCentre ? [bags, words] : [words, bags];
    return {
      size: examples.length,
      inputs,
      targets,
      targetIds: this.#predictsCentre ? words.indices : undefined,
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

  #addContext(centre: number, key: number): void {
    const segment = segmentAt(this.#segments, centre);
    const widest = Math.max(this.#before, this.#after);
    const reach = this.#drawReach
      ? 1 + Math.floor(((mix32(key ^ mix32(centre + 1)) >>> 0) / 2 ** 32) * widest)
      : widest;
    const first = Math.max(this.#segments[segment]!, centre - Math.min(reach, this.#before));
    const last = Math.min(this.#segments[segment + 1]! - 1, centre + Math.min(reach, this.#after));
    for (let position = first; position <= last; position++) {
      if (position !== centre) this.#bags.add(this.#tokens[position]!);
    }
    if (!this.#predictsCentre) this.#bags.normalizeRow();
    this.#bags.endRow();
  }
}

/** The positions that have a context: at least one neighbour inside the window. */
function centresOf(segments: Int32Array, before: number, after: number): Int32Array {
  let length = 0;
  const centres = new Int32Array(segments[segments.length - 1]!);
  for (let segment = 0; segment + 1 < segments.length; segment++) {
    const start = segments[segment]!;
    const end = segments[segment + 1]!;
    for (let position = start; position < end; position++) {
      if ((before > 0 && position > start) || (after > 0 && position + 1 < end)) centres[length++] = position;
    }
  }
  return centres.subarray(0, length);
}
