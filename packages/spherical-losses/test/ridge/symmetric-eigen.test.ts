import fc from 'fast-check';
import { RandomGenerator } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { invertPositiveDefinite } from '../../src/ridge/positive-definite.ts';
import { symmetricEigen } from '../../src/ridge/symmetric-eigen.ts';

/** XᵀX of a random X with `rank` rows. */
function gram(n: number, rank: number, seed: number): Float64Array {
  const random = new RandomGenerator(seed);
  const rows = Float64Array.from({ length: rank * n }, () => random.normal());
  const out = new Float64Array(n * n);
  for (let r = 0; r < rank; r++)
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[i * n + j]! += rows[r * n + i]! * rows[r * n + j]!;
  return out;
}

function checkEigen(matrix: Float64Array, n: number): void {
  const { values, vectors } = symmetricEigen(matrix, n);
  const scale = Math.max(1e-300, ...matrix.map(Math.abs));
  let [residual, orthogonality] = [0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let [product, dot] = [0, 0];
      for (let k = 0; k < n; k++) {
        product += matrix[j * n + k]! * vectors[i * n + k]!;
        dot += vectors[i * n + k]! * vectors[j * n + k]!;
      }
      residual = Math.max(residual, Math.abs(product - values[i]! * vectors[i * n + j]!));
      orthogonality = Math.max(orthogonality, Math.abs(dot - (i === j ? 1 : 0)));
    }
  }
  expect(residual / scale).toBeLessThan(1e-14 * (n + 10));
  expect(orthogonality).toBeLessThan(1e-14 * (n + 10));
}

describe('symmetricEigen', () => {
  it('finds orthonormal eigenvectors of any symmetric matrix', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 14 }), fc.nat(), (n, rank, seed) => {
        const matrix = gram(n, rank, seed);
        checkEigen(matrix, n);
        // Indefinite.
        checkEigen(
          matrix.map((value, i) => (i % (n + 1) === 0 ? value - 3 : value)),
          n,
        );
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['zero', new Float64Array(25)],
    ['diagonal', Float64Array.from({ length: 25 }, (_, i) => (i % 6 === 0 ? i - 7 : 0))],
    ['one value beside the diagonal', Float64Array.from({ length: 25 }, (_, i) => (i === 9 || i === 21 ? 2 : 0))],
    ['of one sign', new Float64Array(25).fill(1)],
    ['badly scaled', gram(5, 5, 3).map((value, i) => value * 10 ** (-3 * (Math.floor(i / 5) + (i % 5))))],
  ])('%s', (_, matrix) => {
    checkEigen(matrix, 5);
  });

  it('takes 150 dimensions', () => {
    checkEigen(gram(150, 100, 1), 150);
  });

  it('refuses what is not finite', () => {
    expect(() => symmetricEigen(Float64Array.of(1, Number.NaN, 0, 1), 2)).toThrow(RangeError);
  });
});

describe('invertPositiveDefinite', () => {
  it('gives the identity with the matrix', () => {
    const n = 20;
    const matrix = gram(n, 60, 5);
    const inverse = invertPositiveDefinite(matrix, n) ?? new Float64Array(0);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += matrix[i * n + k]! * inverse[k * n + j]!;
        expect(Math.abs(sum - (i === j ? 1 : 0))).toBeLessThan(1e-12);
      }
    }
  });

  it('knows a matrix that has no inverse', () => {
    expect(invertPositiveDefinite(gram(6, 4, 1), 6)).toBeUndefined();
    expect(invertPositiveDefinite(Float64Array.of(1, 2, 2, 1), 2)).toBeUndefined();
  });
});
