// Prefetches items of a source. The next item is requested as soon as the queue has a free place, not when the consumer
// asks for it. So the source waits (for a disk, a decompressor, a worker) while the consumer waits for something else
// or computes elsewhere. Work that the source does itself on this thread is only done earlier, not in parallel; for
// that, use prefetchFromWorker in `/node`.

import type { CancellationSignal } from '../cancellation.ts';
import { checkInteger } from '../errors.ts';

/**
 * The time that the consumer spent waiting for items, in milliseconds of wall-clock time since the first item was
 * requested.
 */
export interface WaitingTime {
  readonly items: number;
  /** Number of items that were not ready when they were needed. */
  readonly waits: number;
  readonly waitedMilliseconds: number;
  readonly totalMilliseconds: number;
}

/** How to stop, and the clock by which waiting is measured. */
export interface PrefetchOptions {
  /** Checked before each item; if aborted, iteration throws the signal's reason. */
  readonly signal?: CancellationSignal;
  /** A clock in milliseconds; default Date.now. */
  readonly now?: () => number;
}

/** Can be iterated once. Leaving the loop early closes the source. */
export interface Prefetched<T> extends AsyncIterable<T> {
  waitingTime(): WaitingTime;
}

type Outcome<T> = { readonly result: IteratorResult<T, unknown> } | { readonly error: unknown };

/**
 * Returns the items of `source` in order, with up to `depth` items prefetched. Items must not share memory: the source
 * must copy minibatches that reuse a buffer. An error of the source is thrown after the items before it. Cost: O(1) per
 * item; memory: `depth` items.
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
    const requestNext = (): void => {
      // Calls are sequential: not every iterator allows a second call while the first is pending.
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
      for (let ahead = 0; ahead < depth; ahead++) requestNext();
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
        requestNext();
        yield outcome.result.value;
      }
    } finally {
      // The source is closed after its pending call.
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
