// Shuffles a stream that does not fit into memory: hold `capacity` items, hand out one at random, put the next of the
// stream in its place. Every choice follows from seed and epoch, so a cursor is a count: resuming opens the stream
// again and makes the same choices without handing anything out. Saving the held items was rejected: they need not be
// JSON, and a stream that cannot seek has to be read up to the same place anyway.

import { SparseDataError, checkInteger, show } from '../errors.ts';
import { RandomGenerator, seedWord } from '../random/random.ts';

/** Opens the stream from its beginning; it must give the same items in the same order each time. */
export type OpenStream<Item> = (epoch: number) => AsyncIterable<Item> | Iterable<Item>;

export interface ShuffleBufferOptions {
  /** Items held, at least 1 (which keeps the order); with as many as the stream has, the shuffle is uniform. */
  readonly capacity: number;
  /** An integer in [0, 2^53); default 0. Each epoch of a seed has its own order. */
  readonly seed?: number;
}

/** An item is handed out at most capacity − 1 places before its own place in the stream. Memory: `capacity` items. */
export class ShuffleBuffer<Item> {
  readonly capacity: number;
  readonly #open: OpenStream<Item>;
  #seed: number;
  #epoch = 0;
  #position = 0;
  /** Which epoch() or seek() was the last: only its loop may go on. */
  #turn = 0;

  /** @throws SparseDataError `bad-option`. */
  constructor(open: OpenStream<Item>, options: ShuffleBufferOptions) {
    const { capacity, seed = 0 } = options;
    checkInteger('ShuffleBuffer', 'capacity', capacity, 1, 2 ** 32 - 1);
    checkInteger('ShuffleBuffer', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    this.#open = open;
    this.#seed = seed;
    this.capacity = capacity;
  }

  /**
   * The rest of the current epoch: all of it at first, and what is left after a loop was left early or after seek(),
   * which costs reading the stream up to there again. Afterwards the next call gives the next epoch.
   * @throws SparseDataError `bad-cursor` where the stream has fewer items than were already handed out, or where
   * another epoch() or seek() has begun since; whatever the stream throws.
   */
  async *epoch(): AsyncGenerator<Item, void, undefined> {
    const turn = ++this.#turn;
    const epoch = this.#epoch;
    const skipped = this.#position;
    const random = epochGenerator(this.#seed, epoch);
    const held: Item[] = [];
    let drawn = 0;
    for await (const item of this.#open(epoch)) {
      if (held.length < this.capacity) {
        held.push(item);
        continue;
      }
      const place = random.integer(held.length);
      const next = held[place]!;
      held[place] = item;
      if (++drawn > skipped) yield this.#handOut(turn, drawn, next);
    }
    while (held.length > 0) {
      const place = random.integer(held.length);
      const next = held[place]!;
      const last = held.pop() as Item;
      if (place < held.length) held[place] = last;
      if (++drawn > skipped) yield this.#handOut(turn, drawn, next);
    }
    this.#checkTurn(turn);
    if (drawn < skipped) {
      throw new SparseDataError(
        'bad-cursor',
        `ShuffleBuffer.epoch: the cursor is at item ${skipped}, but the stream has ${drawn}; resume with the same data`,
      );
    }
    this.#epoch = epoch + 1;
    this.#position = 0;
  }

  /** Where the sequence stands, after the item last handed out, as plain JSON. */
  cursor(): ShuffleCursor {
    return { epoch: this.#epoch, position: this.#position, seed: this.#seed, capacity: this.capacity };
  }

  /**
   * Continues from a cursor, with its seed, exactly as the sequence it was taken from would have (given the same
   * stream).
   * @throws SparseDataError `bad-cursor` for one that does not fit; the sequence then stays where it was.
   */
  seek(cursor: unknown): void {
    const { epoch, position, seed } = parseShuffleCursor(cursor, this.capacity);
    this.#turn++;
    this.#epoch = epoch;
    this.#position = position;
    this.#seed = seed;
  }

  #handOut(turn: number, drawn: number, item: Item): Item {
    this.#checkTurn(turn);
    this.#position = drawn;
    return item;
  }

  #checkTurn(turn: number): void {
    if (turn !== this.#turn)
      throw new SparseDataError(
        'bad-cursor',
        `ShuffleBuffer.epoch: a later epoch() or seek() has taken over (this is turn ${turn}, the last is ${this.#turn}); leave this loop`,
      );
  }
}

function epochGenerator(seed: number, epoch: number): RandomGenerator {
  return new RandomGenerator((seedWord(seed, 2 * epoch) >>> 0) * 2 ** 21 + (seedWord(seed, 2 * epoch + 1) >>> 11));
}

/** Where a ShuffleBuffer stands: plain JSON for a checkpoint. */
export interface ShuffleCursor {
  readonly epoch: number;
  /** Items of this epoch handed out so far. */
  readonly position: number;
  readonly seed: number;
  readonly capacity: number;
}

/**
 * Checks a cursor that may come from a file.
 * @throws SparseDataError `bad-cursor`.
 */
function parseShuffleCursor(value: unknown, expectedCapacity: number): ShuffleCursor {
  if (typeof value !== 'object' || value === null)
    throw bad(`got ${show(value)}; an object as cursor() returns it is needed`);
  const { epoch, position, seed, capacity } = value as Partial<Record<keyof ShuffleCursor, unknown>>;
  if (capacity !== expectedCapacity) {
    throw bad(
      `the cursor belongs to a buffer of capacity ${show(capacity)}, this has ${expectedCapacity}; resume with the same capacity`,
    );
  }
  return {
    epoch: integer('epoch', epoch),
    position: integer('position', position),
    seed: integer('seed', seed),
    capacity: expectedCapacity,
  };
}

function integer(name: string, value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw bad(`${name} is ${show(value)}; an integer in 0..${Number.MAX_SAFE_INTEGER} is needed`);
  return value as number;
}

function bad(message: string): SparseDataError {
  return new SparseDataError('bad-cursor', `ShuffleBuffer.seek: ${message}`);
}
