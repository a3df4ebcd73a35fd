import type { DifferenceInput } from '../src/testing.ts';

/** Numbers in [low, high) that look random and are the same at every run. */
export function sampleInput(rows: number, columns: number, seed = 1, low = -2, high = 2): DifferenceInput {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0;
  const values = Array.from({ length: rows * columns }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * state) / 2 ** 32;
  });
  return { rows, columns, values };
}
