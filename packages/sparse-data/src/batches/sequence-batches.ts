// A text as parallel streams for truncated back-propagation through time. The text is divided into `streams` parts, and
// a minibatch contains the next `steps` tokens of each part, so that a recurrent network continues from its last state.
// Every token of the text is a target once per epoch, as for n-grams, so perplexities of both can be compared.

import { badCursor, cursorFields, integerBelow } from './batch-cursor.ts';
import { SparseDataError, checkInteger } from '../errors.ts';
import { checkTokenRange } from './segments.ts';
import { SequenceRows, type SequenceBatch } from './sequence-batch.ts';

/** A text as numbers, cut into parallel streams and steps of a recurrent model. */
export interface SequenceBatchesOptions {
  /** The encoded text; referenced, not copied. */
  readonly tokens: Int32Array;
  /** Number of classes: the columns of the targets. Every token must be below it. */
  readonly classes: number;
  /** B: the number of parts of the text that are read in parallel. */
  readonly streams: number;
  /** T: the number of tokens after which back-propagation is truncated. */
  readonly steps: number;
  /** The input before the first token of the text. */
  readonly paddingId: number;
  /**
   * For networks that carry no state: how many tokens before its targets each minibatch has again, without targets, in
   * each stream; default 0. The minibatch then has context + steps steps, and each stream starts with it.
   */
  readonly context?: number;
  /** Targets are the tokens at positions first (default 0) to last (exclusive; default tokens.length). */
  readonly first?: number;
  readonly last?: number;
}

/**
 * The position of SequenceBatches: plain JSON for a checkpoint. Save it together with the recurrent state of the
 * network.
 */
export interface SequenceCursor {
  readonly epoch: number;
  /** Number of steps of this epoch that next() has returned so far. */
  readonly position: number;
  readonly streams: number;
  readonly examples: number;
}

/** An endless sequence of minibatches, epoch after epoch, always in the same order. next() costs O(streams · steps). */
export class SequenceBatches {
  readonly examplesPerEpoch: number;
  readonly streams: number;
  readonly steps: number;
  readonly #tokens: Int32Array;
  readonly #paddingId: number;
  readonly #context: number;
  /** The position of the first target of each stream, and the end. */
  readonly #bounds: Int32Array;
  readonly #longest: number;
  readonly #rows: SequenceRows;
  #epoch = 0;
  #position = 0;

  /**
   * @throws SparseDataError `empty-input` for fewer targets than streams, `index-out-of-range` for a token that is not
   * a class (the text is checked once, O(tokens)), `bad-option`.
   */
  constructor(options: SequenceBatchesOptions) {
    const { tokens, classes, streams, steps, paddingId, context = 0, first = 0, last = tokens.length } = options;
    checkInteger('SequenceBatches', 'classes', classes, 1, 2 ** 31 - 1);
    checkInteger('SequenceBatches', 'streams', streams, 1, 2 ** 20);
    checkInteger('SequenceBatches', 'steps', steps, 1, Math.floor((2 ** 31 - 1) / streams));
    checkInteger('SequenceBatches', 'context', context, 0, Math.floor((2 ** 31 - 1) / streams) - steps);
    checkInteger('SequenceBatches', 'paddingId', paddingId, 0, classes - 1);
    checkInteger('SequenceBatches', 'last', last, 0, tokens.length);
    checkInteger('SequenceBatches', 'first', first, 0, last);
    const examples = last - first;
    if (examples < streams) {
      throw new SparseDataError(
        'empty-input',
        `SequenceBatches: ${examples} targets for ${streams} streams; give each at least one, or fewer streams`,
      );
    }
    checkTokenRange('SequenceBatches', tokens, classes);
    this.#tokens = tokens;
    this.#paddingId = paddingId;
    this.#context = context;
    this.streams = streams;
    this.steps = steps;
    this.examplesPerEpoch = examples;
    this.#bounds = Int32Array.from(
      { length: streams + 1 },
      (_, stream) => first + Math.floor((examples * stream) / streams),
    );
    this.#longest = Math.ceil(examples / streams);
    this.#rows = new SequenceRows(streams, context + steps, classes);
  }

  /** The next minibatch. The last one of an epoch may have fewer steps; the one after it starts with a reset state. */
  next(): SequenceBatch {
    const { streams } = this;
    const { inputs, starts } = this.#rows;
    const steps = Math.min(this.steps, this.#longest - this.#position);
    this.#rows.clear();
    const context = this.#context;
    for (let step = -context, row = 0; step < steps; step++) {
      for (let stream = 0; stream < streams; stream++, row++) {
        const target = this.#bounds[stream]! + this.#position + step;
        inputs[row] = target <= 0 ? this.#paddingId : this.#tokens[target - 1]!;
        starts[row] = (context > 0 ? step === -context : this.#position + step === 0) ? 1 : 0;
        // The lengths of the parts differ by at most one.
        if (step >= 0 && target < this.#bounds[stream + 1]!) this.#rows.predict(row, this.#tokens[target]!);
      }
    }
    const epoch = this.#epoch;
    this.#position += steps;
    const endOfEpoch = this.#position === this.#longest;
    if (endOfEpoch) {
      this.#position = 0;
      this.#epoch++;
    }
    return this.#rows.batch(context + steps, epoch, endOfEpoch);
  }

  /** The position in the sequence, as plain JSON. */
  cursor(): SequenceCursor {
    return { epoch: this.#epoch, position: this.#position, streams: this.streams, examples: this.examplesPerEpoch };
  }

  /**
   * Continues from a cursor; `steps` may differ.
   * @throws SparseDataError `bad-cursor` for an invalid cursor; the position then does not change.
   */
  seek(cursor: unknown): void {
    const where = 'SequenceBatches.seek';
    const { epoch, position, streams, examples } = cursorFields(where, cursor);
    for (const [name, found, own] of [
      ['examples', examples, this.examplesPerEpoch],
      ['streams', streams, this.streams],
    ] as const) {
      if (found !== own)
        throw badCursor(
          where,
          `the cursor belongs to data of ${String(found)} ${name}, this has ${own}; resume with the same text and streams`,
        );
    }
    const place = integerBelow(where, 'position', position, this.#longest);
    this.#epoch = integerBelow(where, 'epoch', epoch, Number.MAX_SAFE_INTEGER);
    this.#position = place;
  }
}
