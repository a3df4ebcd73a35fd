import { describe, expect, it } from 'vitest';
import { denseFlops, factoredFlops, gemmFlops } from '../../src/measurement/operation-counts.ts';

describe('operation counts', () => {
  it('are those of docs/performance.md', () => {
    expect(gemmFlops(2, 3, 5)).toBe(60);
    expect(denseFlops(1000, 4, 10)).toBe(6 * 4 * 10 * 1000);
    expect(factoredFlops('small-batch', 3, 10)).toBe(14 * 3 * 100 + 8 * 9 * 10 + 18);
    expect(factoredFlops('row', 3, 10)).toBe(14 * 3 * 100 + 9000);
  });

  it('give the 0.20 and 183 GFLOP of mathematics.md for One Billion Word', () => {
    expect(factoredFlops('small-batch', 128, 300) / 1e9).toBeCloseTo(0.2, 2);
    expect(denseFlops(793_471, 128, 300) / 1e9).toBeCloseTo(183, 0);
  });
});
