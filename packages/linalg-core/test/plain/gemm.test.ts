import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGemm } from '../../src/plain/gemm.ts';

/** The twin of the blocked kernel. Small whole numbers, so that every order of summation gives the same. */
function naive(
  m: number,
  n: number,
  k: number,
  a: (i: number, p: number) => number,
  b: (p: number, j: number) => number,
): number[] {
  return Array.from({ length: m * n }, (_, at) => {
    let sum = 0;
    for (let p = 0; p < k; p++) sum += a(Math.floor(at / n), p) * b(p, at % n);
    return sum;
  });
}

describe('createGemm', () => {
  it('equals its naive twin over any sizes, transposes and blocks', () => {
    const multiply = createGemm();
    const size = fc.oneof(fc.nat(9), fc.constantFrom(63, 64, 65), fc.constantFrom(255, 256, 257, 513));
    const outcome = fc.check(
      fc.property(
        size,
        size,
        size,
        fc.boolean(),
        fc.boolean(),
        fc.nat(1000),
        (m, n, k, transposeA, transposeB, seed) => {
          fc.pre(m * n * k < 3e6);
          const number = (i: number): number => ((i * 7919 + seed) % 17) - 8;
          const a = Float32Array.from({ length: m * k }, (_, i) => number(i));
          const b = Float32Array.from({ length: k * n }, (_, i) => number(i + 5));
          const out = new Float32Array(m * n).fill(Number.NaN);
          multiply(m, n, k, a, b, out, { transposeA, transposeB, alpha: 2, beta: 0 });
          const product = naive(
            m,
            n,
            k,
            (i, p) => a[transposeA ? p * m + i : i * k + p]!,
            (p, j) => b[transposeB ? j * k + p : p * n + j]!,
          );
          return product.every((value, i) => out[i] === 2 * value);
        },
      ),
      { numRuns: 60 },
    );
    expect(outcome.failed, `m, n, k, transposes, seed: ${JSON.stringify(outcome.counterexample)}`).toBe(false);
  });
});
