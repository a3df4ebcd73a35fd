/** The error bounds that the README states, over more of the line than the conformance suite samples. */
import { createMatrixFrom, read, unary, unaryFunctions, type UnaryOperation } from '@vastmax/linalg-core';
import { describe, expect } from 'vitest';
import { gpuTest, numbers } from '../gpu-test.ts';

const smallestNormal = 2 ** -126;

/** Distance from |x| to the next f32. */
function ulpOf(x: number): number {
  return 2 ** (Math.floor(Math.log2(Math.max(Math.abs(x), smallestNormal))) - 23);
}

interface Bound {
  readonly operation: UnaryOperation;
  readonly from: number;
  readonly to: number;
  readonly ulps: number;
  /** Of what the ulps are; the result unless given. */
  readonly of?: (x: number) => number;
}

const bounds: readonly Bound[] = [
  { operation: 'exp', from: -87, to: 88.7, ulps: 2 },
  { operation: 'log', from: 1e-30, to: 1e30, ulps: 3 },
  { operation: 'sigmoid', from: -80, to: 80, ulps: 4 },
  { operation: 'softplus', from: -80, to: 80, ulps: 4 },
  { operation: 'tanh', from: -12, to: 12, ulps: 4 },
  { operation: 'gelu', from: -12, to: 12, ulps: 4, of: (x) => x },
  { operation: 'geluDerivative', from: -12, to: 12, ulps: 4, of: () => 1 },
];

/** Half of them over the range, half at all magnitudes down to 10⁻⁸. */
function samples(from: number, to: number, count: number): Float32Array {
  return numbers(2 * count, 17)
    .subarray(0, count)
    .map((unit, i) => {
      const share = (unit + 1) / 2;
      if (from > 0) return from * (to / from) ** share;
      return i % 2 === 0 ? from + share * (to - from) : Math.sign(unit) * 10 ** (-8 * Math.abs(unit));
    });
}

describe('functions in WGSL', () => {
  gpuTest('stay within the bounds of the README', async (create) => {
    const backend = await create();
    for (const { operation, from, to, ulps, of } of bounds) {
      const x = samples(from, to, 20_000);
      const matrix = createMatrixFrom(backend, 1, x.length, x);
      unary(operation, matrix, matrix);
      const got = await read(matrix);
      let worst = { ulps: 0, x: 0 };
      for (const [i, value] of x.entries()) {
        const exact = unaryFunctions[operation](value);
        const unit = Math.max(ulpOf(of === undefined ? exact : of(value)), smallestNormal);
        const error = Math.abs(got[i]! - exact) / unit;
        if (!(error <= worst.ulps)) worst = { ulps: error, x: value };
      }
      expect(worst.ulps, `${operation} at ${worst.x}`).toBeLessThanOrEqual(ulps);
    }
  });
});
