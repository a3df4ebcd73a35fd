import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HALF_INFINITY, narrowToHalf, widenHalf } from '../src/stored-numbers.ts';

const allBits = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
const all = widenHalf(allBits);
/** Magnitudes in order; the bits of a magnitude are its place. */
const magnitudes = all.subarray(0, HALF_INFINITY);

/** By looking for the nearest of all, the even one of two equally near. */
function nearest(value: number): number {
  let low = 0;
  let high = HALF_INFINITY - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (magnitudes[middle]! <= value) low = middle;
    else high = middle;
  }
  const [below, above] = [value - magnitudes[low]!, magnitudes[high]! - value];
  return below === above ? low + (low % 2) : below < above ? low : high;
}

describe('half precision', () => {
  it('widens every number, and narrows it back to its bits', () => {
    expect([
      all[0x0001],
      all[0x03ff],
      all[0x0400],
      all[0x3c00],
      all[0x3555],
      all[0x7bff],
      all[0xfc00],
      all[0xc000],
    ]).toEqual([2 ** -24, 2 ** -14 - 2 ** -24, 2 ** -14, 1, 0.333251953125, 65504, -Infinity, -2]);
    expect(Object.is(all[0x8000], -0)).toBe(true);
    const back = narrowToHalf(all);
    for (const bits of allBits) {
      if (Number.isNaN(all[bits])) expect(back[bits]! & 0x7fff).toBeGreaterThan(HALF_INFINITY);
      else expect(back[bits]).toBe(bits);
    }
  });

  it('rounds to the nearest, ties to even, from 64 bits', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.double({ min: 0, max: 65519.99, noNaN: true }),
          fc.double({ min: 0, max: 2 ** -13, noNaN: true }),
          fc.nat(HALF_INFINITY - 2).map((at) => (magnitudes[at]! + magnitudes[at + 1]!) / 2),
        ),
        (value) => {
          const [positive, negative] = narrowToHalf([value, -value]);
          expect(positive).toBe(nearest(value));
          expect(negative).toBe(nearest(value) | 0x8000);
        },
      ),
      { numRuns: 3000 },
    );
    // Through 32 bits this would be a tie, and rounded down.
    expect(widenHalf(narrowToHalf([1 + 2 ** -11 + 2 ** -40]))[0]).toBe(1 + 2 ** -10);
    expect([...widenHalf(narrowToHalf([65519.99, 65520, -1e300, Number.NaN]))]).toEqual([
      65504,
      Infinity,
      -Infinity,
      Number.NaN,
    ]);
  });
});
