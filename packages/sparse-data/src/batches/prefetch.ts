// Items prepared ahead of their use. The source is asked for the next item as soon as there is room, not when the
// consumer asks: what the source waits for (a disk, a decompressor, a worker) then happens while the consumer waits for
// something else or computes elsewhere. Work that the source does itself on this thread is only moved, not hidden: for
// that there is prefetchFromWorker in `/node`.

import { checkInteger } from '../errors.ts';

/**
 * How much of the time the consumer spent waiting for items. Milliseconds of the clock since the first was asked for.
 */
export interface WaitingTime {
  readonly items: number;
  /** How many of them were not ready when they were asked for. */
  readonly waits: number;
  readonly waitedMilliseconds: number;
  readonly totalMilliseconds: number;
}

export interface PrefetchOptions {
  /** Looked at before each item is handed out; iteration then ends with the signal's reason. */
  readonly signal?: CancellationSignal;
  /** Milliseconds; Date.now unless given. */
  readonly now?: () => number;
}

/** Iterate over it once. Leaving the loop early ends the source. */
export interface Prefetched<T> extends AsyncIterable<T> {
  waitingTime(): WaitingTime;
}

type Outcome<T> = { readonly result: IteratorResult<T, unknown> } | { readonly error: unknown };

/**
 * Up to `depth` items of `source` ahead of the one in use, in order. Items must not share memory: minibatches that
 * reuse one buffer have to be copied by the source. An error of the source comes after the items before it. Cost: O(1)
 * an item; memory: `depth` items.
 * @param depth 1 to 2^20.
 * @throws SparseDataError `bad-option`; on iteration whatever the source throws.
 */
export function prefetch<T>(
  source: AsyncIterable<T> | Iterable<T>,
  depth: number,
  options: PrefetchOptions = {},
): Prefetched<T> {
  checkInteger('prefetch', 'depth', depth, 1, 2 ** 20);
  const { signal, now = Date.now } = options;
  let items = 0;
  let waits = 0;
  let waited = 0;
  let started: number | undefined;
  async function* iterate(): AsyncGenerator<T, void, undefined> {
    const iterator: AsyncIterator<T, unknown> | Iterator<T, unknown> =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    const queue: { settled: boolean; readonly outcome: Promise<Outcome<T>> }[] = [];
    let last: Promise<unknown> = Promise.resolve();
    let ended = false;
    const ask = (): void => {
      // One after the other: not every iterator takes a second call while the first is under way.
      const outcome = last.then(async (): Promise<Outcome<T>> => {
        if (ended) return { result: { done: true, value: undefined } };
        try {
          const result = await iterator.next();
          ended ||= result.done === true;
          return { result };
        } catch (error) {
          ended = true;
          return { error };
        }
      });
      const entry = { settled: false, outcome };
      last = outcome.then(() => {
        entry.settled = true;
      });
      queue.push(entry);
    };
    started ??= now();
    let finished = false;
    try {
      for (let ahead = 0; ahead < depth; ahead++) ask();
      for (;;) {
        signal?.throwIfAborted();
        const entry = queue.shift();
        if (entry === undefined) return;
        const before = now();
        if (!entry.settled) waits++;
        const outcome = await entry.outcome;
        waited += now() - before;
        if ('error' in outcome) {
          finished = true;
          throw outcome.error;
        }
        if (outcome.result.done === true) {
          finished = true;
          return;
        }
        items++;
        ask();
        yield outcome.result.value;
      }
    } finally {
      // The source is ended after the call to it that is under way.
      const wasEnded = ended;
      ended = true;
      await last;
      if (!finished && !wasEnded) await iterator.return?.();
    }
  }
  const generator = iterate();
  return {
    [Symbol.asyncIterator]: () => generator,
    waitingTime: () => ({
      items,
      waits,
      waitedMilliseconds: waited,
      totalMilliseconds: started === undefined ? 0 : now() - started,
    }),
  };
}

/**
 * The part of an AbortSignal that is used here: this package compiles without DOM and Node types. Any AbortSignal fits.
 */
export interface CancellationSignal {
  readonly aborted: boolean;
  throwIfAborted(): void;
}
