// Shuffles a stream that does not fit into memory: the buffer holds `capacity` items, returns a random one, and
// replaces it by the next item of the stream. Every choice depends only on seed and epoch, so a cursor only needs a
// count: to resume, the stream is opened again and the same choices are made without returning items. Saving the
// buffered items was rejected: they may not be JSON, and a stream that cannot seek must be read up to the same position
// anyway.

import { SparseDataError, checkInteger, show } from '../errors.ts';
import { RandomGenerator, seedWord } from '../random/random.ts';

/** Opens the stream from its beginning. It must give the same items in the same order each time. */
export type OpenStream<Item> = (epoch: number) => AsyncIterable<Item> | Iterable<Item>;

/** How many values are held, and the seed. */
export interface ShuffleBufferOptions {
  /**
   * Number of buffered items, at least 1 (which keeps the order). If it is at least the length of the stream, the
   * shuffle is uniform.
   */
  readonly capacity: number;
  /** An integer in [0, 2^53); default 0. Each epoch of a seed has its own order. */
  readonly seed?: number;
}

/** An item is returned at most capacity − 1 positions before its position in the stream. Memory: `capacity` items. */
export class ShuffleBuffer<Item> {
  readonly capacity: number;
  readonly #open: OpenStream<Item>;
  #seed: number;
  #epoch = 0;
  #position = 0;
  /** Number of calls of epoch() and seek(): only the loop of the last call may continue. */
  #iteration = 0;

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
   * The rest of the current epoch. That is the whole epoch at first; after leaving a loop early or after seek() it is
   * the remaining part, and the stream is read again up to the position. The next call after it gives the next epoch.
   * @throws SparseDataError `bad-cursor` if the stream has fewer items than were already returned, or if epoch() or
   * seek() was called since; and errors of the stream.
   */
  async *epoch(): AsyncGenerator<Item, void, undefined> {
    const iteration = ++this.#iteration;
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
      if (++drawn > skipped) yield this.#advance(iteration, drawn, next);
    }
    while (held.length > 0) {
      const place = random.integer(held.length);
      const next = held[place]!;
      const last = held.pop() as Item;
      if (place < held.length) held[place] = last;
      if (++drawn > skipped) yield this.#advance(iteration, drawn, next);
    }
    this.#checkIteration(iteration);
    if (drawn < skipped) {
      throw new SparseDataError(
        'bad-cursor',
        `ShuffleBuffer.epoch: the cursor is at item ${skipped}, but the stream has ${drawn}; resume with the same data`,
      );
    }
    this.#epoch = epoch + 1;
    this.#position = 0;
  }

  /** The position after the last returned item, as plain JSON. */
  cursor(): ShuffleCursor {
    return { epoch: this.#epoch, position: this.#position, seed: this.#seed, capacity: this.capacity };
  }

  /**
   * Continues from a cursor, with its seed, exactly as the sequence it was taken from would have (given the same
   * stream).
   * @throws SparseDataError `bad-cursor` for an invalid cursor; the position then does not change.
   */
  seek(cursor: unknown): void {
    const { epoch, position, seed } = parseShuffleCursor(cursor, this.capacity);
    this.#iteration++;
    this.#epoch = epoch;
    this.#position = position;
    this.#seed = seed;
  }

  #advance(iteration: number, drawn: number, item: Item): Item {
    this.#checkIteration(iteration);
    this.#position = drawn;
    return item;
  }

  #checkIteration(iteration: number): void {
    if (iteration !== this.#iteration)
      throw new SparseDataError(
        'bad-cursor',
        `ShuffleBuffer.epoch: a later epoch() or seek() was called (this is iteration ${iteration}, the current one is ${this.#iteration}); leave this loop`,
      );
  }
}

function epochGenerator(seed: number, epoch: number): RandomGenerator {
  return new RandomGenerator((seedWord(seed, 2 * epoch) >>> 0) * 2 ** 21 + (seedWord(seed, 2 * epoch + 1) >>> 11));
}

/** The position of a ShuffleBuffer: plain JSON for a checkpoint. */
export interface ShuffleCursor {
  readonly epoch: number;
  /** Number of items of this epoch returned so far. */
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
