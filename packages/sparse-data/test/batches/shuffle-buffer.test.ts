import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShuffleBuffer } from '../../src/batches/shuffle-buffer.ts';
import { allOf } from '../all-of.ts';
import { thrownBy } from '../thrown-by.ts';

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at);
}

/** The next `count` items, over as many epochs as they take, leaving the last loop early. */
async function take<Item>(buffer: ShuffleBuffer<Item>, count: number): Promise<Item[]> {
  const taken: Item[] = [];
  while (taken.length < count) {
    for await (const item of buffer.epoch()) {
      taken.push(item);
      if (taken.length === count) break;
    }
  }
  return taken;
}

describe('ShuffleBuffer', () => {
  it('hands out every item once an epoch, none more than capacity − 1 places early', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(30), fc.integer({ min: 1, max: 12 }), fc.nat(), async (count, capacity, seed) => {
        const buffer = new ShuffleBuffer(() => numbers(count), { capacity, seed });
        for (let epoch = 0; epoch < 2; epoch++) {
          const items = await allOf(buffer.epoch());
          expect([...items].sort((a, b) => a - b)).toEqual(numbers(count));
          items.forEach((item, at) => {
            expect(item - at).toBeLessThan(capacity);
          });
        }
      }),
    );
  });

  it('continues exactly from a cursor that went through JSON, wherever it was taken', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 8 }),
        fc.nat(),
        fc.nat(30),
        fc.integer({ min: 1, max: 20 }),
        async (count, capacity, seed, before, after) => {
          const open = (epoch: number) => numbers(count).map((item) => `${epoch}/${item}`);
          const whole = await take(new ShuffleBuffer(open, { capacity, seed }), before + after);
          const first = new ShuffleBuffer(open, { capacity, seed });
          expect(await take(first, before)).toEqual(whole.slice(0, before));
          const resumed = new ShuffleBuffer(open, { capacity });
          resumed.seek(JSON.parse(JSON.stringify(first.cursor())));
          expect(await take(resumed, after)).toEqual(whole.slice(before));
          // So does the one it was taken from, though its loop was left.
          expect(await take(first, after)).toEqual(whole.slice(before));
        },
      ),
    );
  });

  it('gives the same order for a seed on every machine, another for each epoch and seed', async () => {
    const order = async (seed: number): Promise<string[]> => {
      const buffer = new ShuffleBuffer(() => numbers(10), { capacity: 4, seed });
      return [(await allOf(buffer.epoch())).join(' '), (await allOf(buffer.epoch())).join(' ')];
    };
    expect(await order(1)).toEqual(['3 0 1 4 5 6 8 7 9 2', '2 4 1 0 5 6 9 7 3 8']);
    expect(new Set([...(await order(1)), ...(await order(2)), ...(await order(2 ** 52 + 1))]).size).toBe(6);
  });

  it('shuffles uniformly when it holds everything', async () => {
    const counts = new Map<string, number>();
    const buffer = new ShuffleBuffer(() => 'abcd', { capacity: 4, seed: 3 });
    for (let epoch = 0; epoch < 4800; epoch++) {
      const order = (await allOf(buffer.epoch())).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    // χ² with 23 degrees of freedom is above 58 once in 10,000.
    expect(counts.size).toBe(24);
    expect([...counts.values()].reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0)).toBeLessThan(58);
  });

  it('holds no more than its capacity, and closes a stream that it leaves', async () => {
    let read = 0;
    let closed = 0;
    const buffer = new ShuffleBuffer(
      function* () {
        try {
          for (;;) yield read++;
        } finally {
          closed++;
        }
      },
      { capacity: 100 },
    );
    let taken = 0;
    for await (const item of buffer.epoch()) {
      expect(item).toBeLessThan(read);
      taken++;
      expect(read - taken).toBeLessThanOrEqual(100);
      if (taken === 5000) break;
    }
    expect(closed).toBe(1);
    expect(buffer.cursor()).toEqual({ epoch: 0, position: 5000, seed: 0, capacity: 100 });
  });

  it('refuses options, cursors and loops that do not fit', async () => {
    const open = () => numbers(6);
    expect(await thrownBy(() => new ShuffleBuffer(open, { capacity: 0 }))).toBe(
      'bad-option: ShuffleBuffer: capacity is 0; an integer in 1..4294967295 is needed',
    );
    expect(await thrownBy(() => new ShuffleBuffer(open, { capacity: 1, seed: 0.5 }))).toContain(
      'bad-option: ShuffleBuffer: seed is 0.5',
    );
    const buffer = new ShuffleBuffer(open, { capacity: 3, seed: 9 });
    await take(buffer, 2);
    const cursor = buffer.cursor();
    for (const [wrong, message] of [
      [null, 'got null; an object as cursor() returns it is needed'],
      [
        { ...cursor, capacity: 4 },
        'the cursor belongs to a buffer of capacity 4, this has 3; resume with the same capacity',
      ],
      [{ ...cursor, position: -1 }, 'position is -1; an integer in 0..9007199254740991 is needed'],
      [{ ...cursor, epoch: '1' }, 'epoch is "1"; an integer in 0..9007199254740991 is needed'],
      [{ capacity: 3, epoch: 0, position: 0 }, 'seed is undefined; an integer in 0..9007199254740991 is needed'],
    ] as const) {
      expect(
        await thrownBy(() => {
          buffer.seek(wrong);
        }),
      ).toBe(`bad-cursor: ShuffleBuffer.seek: ${message}`);
      expect(buffer.cursor()).toEqual(cursor);
    }
    buffer.seek({ ...cursor, position: 7 });
    expect(await thrownBy(() => allOf(buffer.epoch()))).toBe(
      'bad-cursor: ShuffleBuffer.epoch: the cursor is at item 7, but the stream has 6; resume with the same data',
    );
    buffer.seek(cursor);
    const loop = buffer.epoch();
    await loop.next();
    buffer.seek(cursor);
    expect(await thrownBy(() => loop.next())).toContain(
      'bad-cursor: ShuffleBuffer.epoch: a later epoch() or seek() was called',
    );
    expect(buffer.cursor()).toEqual(cursor);
  });
});
