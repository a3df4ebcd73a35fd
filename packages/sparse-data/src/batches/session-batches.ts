// Sessions as parallel streams (GRU4Rec; Hidasi et al., arXiv:1511.06939 §3.1.1): each stream reads a session to its
// end, then resets its state and continues with the next session that no stream has read yet. So sessions of any length
// fill a minibatch without padding, until the sessions of the epoch are used up.

import { badCursor, cursorFields, integerBelow } from './batch-cursor.ts';
import { validateCsrRows, type CsrRows } from '../csr/csr-rows.ts';
import { SparseDataError, checkInteger, show } from '../errors.ts';
import { IndexPermutation } from '../random/random.ts';
import { SequenceRows, type SequenceBatch } from './sequence-batch.ts';

/** Sessions of items, in parallel streams and steps of a recurrent model. */
export interface SessionBatchesOptions {
  /**
   * One session per row: its items in chronological order. Sessions with fewer than two items are ignored. Values are
   * ignored.
   */
  readonly sessions: CsrRows;
  /** B: the number of sessions that are read in parallel. */
  readonly streams: number;
  /** T: the number of items after which back-propagation is truncated. */
  readonly steps: number;
  /** An integer in [0, 2^53); default 0. Each epoch of a seed has its own order. */
  readonly seed?: number;
  /** Default true. With false, sessions are read in their original order. */
  readonly shuffle?: boolean;
}

/**
 * The position of SessionBatches: plain JSON for a checkpoint. Save it together with the recurrent state of the
 * network.
 */
export interface SessionCursor {
  readonly epoch: number;
  readonly seed: number;
  /** Number of sessions of this epoch that have been started. */
  readonly begun: number;
  /**
   * For each stream: the position, in the order of the epoch, of the session that it reads (-1 for none), and the
   * number of items read from it.
   */
  readonly places: readonly number[];
  readonly read: readonly number[];
  readonly examples: number;
}

/**
 * An endless sequence of minibatches, epoch after epoch, determined by its options. next() costs O(streams · steps).
 */
export class SessionBatches {
  readonly examplesPerEpoch: number;
  readonly streams: number;
  readonly steps: number;
  readonly #sessions: CsrRows;
  readonly #usable: Int32Array;
  readonly #permutation: IndexPermutation | undefined;
  readonly #places: Int32Array;
  readonly #read: Int32Array;
  readonly #rows: SequenceRows;
  #seed: number;
  #epoch = 0;
  #begun = 0;

  /** @throws SparseDataError `empty-input` if no session has two items, `bad-option`, and as validateCsrRows. */
  constructor(options: SessionBatchesOptions) {
    const { sessions, streams, steps, seed = 0, shuffle = true } = options;
    validateCsrRows(sessions, 'SessionBatches: sessions');
    checkInteger('SessionBatches', 'streams', streams, 1, 2 ** 20);
    checkInteger('SessionBatches', 'steps', steps, 1, Math.floor((2 ** 31 - 1) / streams));
    checkInteger('SessionBatches', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    const { offsets } = sessions;
    const usable: number[] = [];
    let examples = 0;
    for (let session = 0; session < sessions.rows; session++) {
      const length = offsets[session + 1]! - offsets[session]!;
      if (length < 2) continue;
      usable.push(session);
      examples += length - 1;
    }
    if (usable.length === 0)
      throw new SparseDataError(
        'empty-input',
        `SessionBatches: none of ${sessions.rows} sessions has two items; a next item needs one before it`,
      );
    this.#sessions = sessions;
    this.#usable = Int32Array.from(usable);
    this.examplesPerEpoch = examples;
    this.streams = streams;
    this.steps = steps;
    this.#seed = seed;
    this.#permutation = shuffle ? new IndexPermutation(usable.length, seed) : undefined;
    this.#places = new Int32Array(streams).fill(-1);
    this.#read = new Int32Array(streams);
    this.#rows = new SequenceRows(streams, steps, sessions.columns);
  }

  /** The next minibatch. The last one of an epoch may have fewer steps, and streams without a session. */
  next(): SequenceBatch {
    const { streams } = this;
    const epoch = this.#epoch;
    this.#rows.clear();
    let steps = 0;
    while (steps < this.steps && this.#hasMore()) {
      for (let stream = 0; stream < streams; stream++) this.#readItem(stream, steps * streams + stream);
      steps++;
    }
    const endOfEpoch = !this.#hasMore();
    if (endOfEpoch) {
      this.#epoch++;
      this.#begun = 0;
      this.#permutation?.rekey(this.#seed, this.#epoch);
    }
    return this.#rows.batch(steps, epoch, endOfEpoch);
  }

  /** The position in the sequence, as plain JSON. */
  cursor(): SessionCursor {
    return {
      epoch: this.#epoch,
      seed: this.#seed,
      begun: this.#begun,
      places: Array.from(this.#places),
      read: Array.from(this.#read),
      examples: this.examplesPerEpoch,
    };
  }

  /**
   * Continues from a cursor.
   * @throws SparseDataError `bad-cursor` for an invalid cursor; the position then does not change.
   */
  seek(cursor: unknown): void {
    const where = 'SessionBatches.seek';
    const fields = cursorFields(where, cursor);
    if (fields['examples'] !== this.examplesPerEpoch) {
      throw badCursor(
        where,
        `the cursor belongs to data of ${show(fields['examples'])} examples, this has ${this.examplesPerEpoch}; resume with the same sessions`,
      );
    }
    const epoch = integerBelow(where, 'epoch', fields['epoch'], Number.MAX_SAFE_INTEGER);
    const seed = integerBelow(where, 'seed', fields['seed'], Number.MAX_SAFE_INTEGER + 1);
    const begun = integerBelow(where, 'begun', fields['begun'], this.#usable.length + 1);
    const { places, read } = fields;
    if (
      !Array.isArray(places) ||
      !Array.isArray(read) ||
      places.length !== this.streams ||
      read.length !== this.streams
    ) {
      throw badCursor(
        where,
        `places and read are ${show(places)} and ${show(read)}; two lists of ${this.streams} (the streams) are needed`,
      );
    }
    // +1, because -1 means a stream without a session.
    const ownPlaces = places.map(
      (place: unknown, stream) =>
        integerBelow(where, `places[${stream}] + 1`, typeof place === 'number' ? place + 1 : place, begun + 1) - 1,
    );
    this.#permutation?.rekey(seed, epoch);
    let ownRead: number[];
    try {
      ownRead = read.map((count: unknown, stream) =>
        integerBelow(
          where,
          `read[${stream}]`,
          count,
          ownPlaces[stream] === -1 ? 1 : this.#lengthOf(ownPlaces[stream]!) - 1,
        ),
      );
    } catch (error) {
      this.#permutation?.rekey(this.#seed, this.#epoch);
      throw error;
    }
    this.#epoch = epoch;
    this.#seed = seed;
    this.#begun = begun;
    this.#places.set(ownPlaces);
    this.#read.set(ownRead);
  }

  #hasMore(): boolean {
    return this.#begun < this.#usable.length || this.#places.some((place) => place >= 0);
  }

  #sessionAt(place: number): number {
    return this.#usable[this.#permutation === undefined ? place : this.#permutation.at(place)]!;
  }

  #lengthOf(place: number): number {
    const session = this.#sessionAt(place);
    return this.#sessions.offsets[session + 1]! - this.#sessions.offsets[session]!;
  }

  #readItem(stream: number, row: number): void {
    const { inputs, starts } = this.#rows;
    starts[row] = 0;
    if (this.#places[stream] === -1) {
      starts[row] = 1;
      inputs[row] = 0;
      // No session is left: the row has no target.
      if (this.#begun === this.#usable.length) return;
      this.#places[stream] = this.#begun++;
      this.#read[stream] = 0;
    }
    const place = this.#places[stream]!;
    const item = this.#sessions.offsets[this.#sessionAt(place)]! + this.#read[stream]!;
    inputs[row] = this.#sessions.indices[item]!;
    this.#rows.predict(row, this.#sessions.indices[item + 1]!);
    this.#read[stream]!++;
    if (this.#read[stream] === this.#lengthOf(place) - 1) {
      this.#places[stream] = -1;
      this.#read[stream] = 0;
    }
  }
}
