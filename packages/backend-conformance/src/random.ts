/**
 * Seeded numbers: splitmix over 32 bits (Steele, Lea, Flood, OOPSLA 2014, with the murmur3 finaliser), two draws for
 * one double.
 */
import type { FloatArray, Precision } from '@vastmax/linalg-core';

/** Seeded numbers, the same on every machine. */
export interface Random {
  /** In [-1, 1), with all 53 bits. */
  uniform(): number;
  /** A whole number in 0 … limit - 1. */
  integer(limit: number): number;
  /** `count` uniform numbers, rounded to the precision: the backend stores exactly the numbers that the oracle uses. */
  values(count: number, precision: Precision): FloatArray;
}

/** The same text gives the same numbers. */
export function createRandom(seed: string): Random {
  let state = 0x811c9dc5;
  for (let i = 0; i < seed.length; i++) state = Math.imul(state ^ seed.charCodeAt(i), 0x01000193);

  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  const uniform = (): number => (((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53) * 2 - 1;
  return {
    uniform,
    integer: (limit) => Math.floor((next() / 2 ** 32) * limit),
    values: (count, precision) => {
      const values = precision === 'f32' ? new Float32Array(count) : new Float64Array(count);
      for (let i = 0; i < count; i++) values[i] = uniform();
      return values;
    },
  };
}
