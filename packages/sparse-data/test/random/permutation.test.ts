import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexPermutation } from '../../src/random/random.ts';
import { thrownBy } from '../thrown-by.ts';

function order(size: number, seed: number, epoch = 0): number[] {
  const permutation = new IndexPermutation(size, seed, epoch);
  return Array.from({ length: size }, (_, position) => permutation.at(position));
}

describe('IndexPermutation', () => {
  it('is a bijection for any size, seed and epoch', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1500 }), fc.maxSafeNat(), fc.maxSafeNat(), (size, seed, epoch) => {
        expect(new Set(order(size, seed, epoch)).size).toBe(size);
        expect(Math.max(...order(size, seed, epoch))).toBe(size - 1);
      }),
    );
  });

  it.each([255, 256, 257, 65_536, 65_537, 131_071])('is a bijection of %d elements', (size) => {
    const seen = new Uint8Array(size);
    for (const element of order(size, 5)) seen[element] = 1;
    expect(seen.includes(0)).toBe(false);
  });

  it('stays in range and distinct at 2^40 and just above a power of two', () => {
    for (const size of [2 ** 40, 2 ** 39 + 1]) {
      const permutation = new IndexPermutation(size, 1);
      const elements = new Set<number>();
      for (let at = 0; at < 2000; at++) elements.add(permutation.at(at)).add(permutation.at(size - 1 - at));
      expect(elements.size).toBe(4000);
      for (const element of elements) expect(Number.isInteger(element) && element >= 0 && element < size).toBe(true);
      expect(Math.max(...elements)).toBeGreaterThan(0.99 * size);
    }
  });

  it('shuffles: position, neighbour and another epoch do not correlate', () => {
    const size = 20_000;
    const correlation = (a: readonly number[], b: readonly number[]): number => {
      const mean = (size - 1) / 2;
      const variance = (size * size - 1) / 12;
      return a.reduce((sum, x, at) => sum + (x - mean) * ((b[at] ?? 0) - mean), 0) / size / variance;
    };
    const positions = Array.from({ length: size }, (_, at) => at);
    for (const seed of [0, 1, 2, 12345]) {
      const first = order(size, seed);
      const others = [
        positions,
        [...first.slice(1), first[0] ?? 0],
        order(size, seed, 1),
        order(size, seed + 1),
        order(size, seed + 2 ** 32),
      ];
      // The standard error of a correlation of 20,000 pairs is 0.0071.
      for (const other of others) expect(Math.abs(correlation(first, other))).toBeLessThan(0.035);
    }
  });

  it('reaches all orders of six elements about equally often', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 36_000; seed++) {
      const name = order(6, seed).join('');
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect(counts.size).toBe(720);
    // Chi-square with 719 degrees of freedom: mean 719, standard deviation 38.
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 50) ** 2 / 50, 0);
    expect(Math.abs(chiSquare - 719)).toBeLessThan(4.5 * 38);
  });

  it('rekeys in place to what a new one gives', () => {
    const permutation = new IndexPermutation(100, 1);
    permutation.rekey(2, 3);
    expect(Array.from({ length: 100 }, (_, at) => permutation.at(at))).toEqual(order(100, 2, 3));
  });

  it('rejects sizes, seeds and positions out of range', async () => {
    expect(await thrownBy(() => new IndexPermutation(0, 1))).toBe(
      'bad-option: IndexPermutation: size is 0; an integer in 1..1099511627776 is needed',
    );
    expect(await thrownBy(() => new IndexPermutation(2 ** 40 + 1, 1))).toContain(
      'bad-option: IndexPermutation: size is 1099511627777',
    );
    expect(await thrownBy(() => new IndexPermutation(3, -1))).toContain('bad-option: IndexPermutation: seed is -1');
    const permutation = new IndexPermutation(3, 1);
    for (const position of [-1, 3, 0.5, Number.NaN])
      expect(await thrownBy(() => permutation.at(position))).toContain(
        `bad-option: IndexPermutation.at: position is ${String(position)}`,
      );
  });
});
