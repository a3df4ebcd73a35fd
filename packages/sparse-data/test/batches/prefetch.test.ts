import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prefetch } from '../../src/batches/prefetch.ts';
import { thrownBy } from '../thrown-by.ts';

/** Lets everything go on that waits for nothing but promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

/** 0, 1, … below `count`, then an error if there is one. */
class Source {
  asked = 0;
  ended = false;
  readonly items: AsyncGenerator<number, void, undefined>;

  constructor(count: number, error?: Error) {
    this.items = this.#generate(count, error);
  }

  async *#generate(count: number, error: Error | undefined): AsyncGenerator<number, void, undefined> {
    try {
      for (let at = 0; at < count; at++) {
        this.asked++;
        await Promise.resolve();
        yield at;
      }
      if (error !== undefined) throw error;
    } finally {
      this.ended = true;
    }
  }
}

describe('prefetch', () => {
  it('gives all items in order, of iterables of both kinds, whatever the depth', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer()),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (items, depth, isAsync) => {
          const source = isAsync
            ? (async function* () {
                for (const item of items) {
                  await Promise.resolve();
                  yield item;
                }
              })()
            : items;
          const seen: number[] = [];
          const ahead = prefetch<number>(source, depth);
          for await (const item of ahead) seen.push(item);
          expect(seen).toEqual(items);
          expect(ahead.waitingTime().items).toBe(items.length);
        },
      ),
    );
  });

  it('keeps `depth` items ready beside the one in use, and no more', async () => {
    const source = new Source(100);
    let seen = 0;
    for await (const item of prefetch(source.items, 3)) {
      await settle();
      expect(source.asked).toBe(Math.min(100, item + 4));
      seen++;
    }
    expect(seen).toBe(100);
    expect(source.ended).toBe(true);
  });

  it('asks for nothing before it is iterated over', async () => {
    const source = new Source(5);
    prefetch(source.items, 3);
    await settle();
    expect(source.asked).toBe(0);
  });

  it('asks one thing at a time of an iterator that could not bear more', async () => {
    let busy = false;
    let at = 0;
    const single: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          expect(busy).toBe(false);
          busy = true;
          await new Promise((resolve) => {
            setTimeout(resolve, 1);
          });
          busy = false;
          return at < 10 ? { done: false, value: at++ } : { done: true, value: undefined };
        },
      }),
    };
    const seen: number[] = [];
    for await (const item of prefetch(single, 4)) seen.push(item);
    expect(seen.length).toBe(10);
  });

  it('passes an error on after the items before it', async () => {
    const seen: number[] = [];
    const error = new TypeError('mine');
    await expect(
      (async () => {
        for await (const item of prefetch(new Source(5, error).items, 3)) seen.push(item);
      })(),
    ).rejects.toBe(error);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  it('ends the source when the loop is left early, or a signal says so', async () => {
    const left = new Source(100);
    for await (const item of prefetch(left.items, 3)) if (item === 2) break;
    expect(left.ended).toBe(true);
    expect(left.asked).toBeLessThanOrEqual(6);

    const aborted = new Source(100);
    const reason = new Error('stop');
    let stop = false;
    const signal = {
      get aborted() {
        return stop;
      },
      throwIfAborted() {
        if (stop) throw reason;
      },
    };
    await expect(
      (async () => {
        for await (const item of prefetch(aborted.items, 3, { signal })) stop = item === 4;
      })(),
    ).rejects.toBe(reason);
    expect(aborted.ended).toBe(true);
  });

  it('says how much of the time was waiting', async () => {
    let clock = 0;
    const source = (async function* () {
      for (let at = 0; at < 3; at++) {
        // The first takes long; the others are made while the consumer works.
        if (at === 0)
          await settle().then(() => {
            clock += 70;
          });
        yield at;
      }
    })();
    const ahead = prefetch(source, 2, { now: () => clock });
    expect(ahead.waitingTime()).toEqual({ items: 0, waits: 0, waitedMilliseconds: 0, totalMilliseconds: 0 });
    for await (const item of ahead) {
      expect(item).toBeGreaterThanOrEqual(0);
      await settle();
      clock += 10;
    }
    expect(ahead.waitingTime()).toEqual({ items: 3, waits: 1, waitedMilliseconds: 70, totalMilliseconds: 100 });
  });

  it('needs a depth that is one', async () => {
    for (const depth of [0, -1, 1.5, Number.NaN, 2 ** 21])
      expect(await thrownBy(() => prefetch([], depth))).toBe(
        `bad-option: prefetch: depth is ${depth}; an integer in 1..1048576 is needed`,
      );
  });
});
