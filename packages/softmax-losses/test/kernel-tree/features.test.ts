import { RandomGenerator } from '@vastmax/sparse-data';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectVectors } from '../../src/kernel-tree/kernel-features.ts';
import { createQuadraticFeatures } from '../../src/kernel-tree/quadratic-features.ts';
import { createRandomFourierFeatures, addCosinesAndSines } from '../../src/kernel-tree/random-fourier-features.ts';
import { computeFeatures, createUnitVectors, dot } from './tree-samples.ts';

describe('cosines and sines', () => {
  it('agree with the engine to the last digits, in every quadrant and beyond the reduction', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double({ min: -50, max: 50, noNaN: true }), fc.double({ min: -1e9, max: 1e9, noNaN: true })),
        (angle) => {
          const out = new Float64Array(4).fill(7);
          addCosinesAndSines(Float64Array.of(0, angle), 1, 1, 2, out, 1);
          const tolerance = Math.abs(angle) < 1e6 ? 2e-15 : 1e-14;
          expect(Math.abs(out[1]! - 7 - 2 * Math.cos(angle))).toBeLessThan(tolerance);
          expect(Math.abs(out[2]! - 7 - 2 * Math.sin(angle))).toBeLessThan(tolerance);
          expect([out[0], out[3]]).toEqual([7, 7]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('lets NaN through', () => {
    const out = new Float64Array(2);
    addCosinesAndSines(Float64Array.of(Number.NaN), 0, 1, 1, out, 0);
    expect([...out]).toEqual([Number.NaN, Number.NaN]);
  });
});

describe('random Fourier features', () => {
  it.each([true, false])(
    'estimate the kernel without bias: the mean over many seeds is within four standard errors (orthogonal: %s)',
    (orthogonal) => {
      const [dimensions, frequencies, nu] = [6, 64, 3];
      const random = new RandomGenerator(4);
      for (let pair = 0; pair < 8; pair++) {
        const vectors = createUnitVectors(2, dimensions, random);
        const kernel = createRandomFourierFeatures(dimensions, { frequencies, nu }).kernel(
          vectors,
          vectors,
          dimensions,
        );
        const estimates = Array.from({ length: 200 }, (_, seed) => {
          const phi = computeFeatures(
            createRandomFourierFeatures(dimensions, { frequencies, nu, orthogonal, seed }),
            vectors,
            2,
          );
          return dot(phi[0]!, phi[1]!);
        });
        const mean = estimates.reduce((sum, x) => sum + x, 0) / estimates.length;
        const variance = estimates.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (estimates.length - 1);
        expect(Math.abs(mean - kernel)).toBeLessThan(4 * Math.sqrt(variance / estimates.length));
        expect(variance).toBeLessThan(1 / frequencies);
        expect(kernel).toBeCloseTo(
          Math.exp(nu * (dot(vectors.subarray(0, dimensions), vectors.subarray(dimensions)) - 1)),
          12,
        );
      }
    },
  );

  it('have orthogonal frequencies in blocks of d, of the lengths that independent ones have, and a smaller variance', () => {
    const [dimensions, frequencies, nu] = [5, 12, 2];
    const rowsOf = (orthogonal: boolean, seed = 1): Float64Array[] => {
      const projection =
        createRandomFourierFeatures(dimensions, { frequencies, nu, orthogonal, seed }).projection ??
        new Float64Array(0);
      return Array.from({ length: frequencies }, (_, row) =>
        projection.subarray(row * dimensions, (row + 1) * dimensions),
      );
    };
    const [rows, independent] = [rowsOf(true), rowsOf(false)];
    for (const [a, one] of rows.entries()) {
      expect(Math.hypot(...one)).toBeCloseTo(Math.hypot(...independent[a]!), 12);
      for (let b = a - (a % dimensions); b < a; b++) expect(Math.abs(dot(one, rows[b]!))).toBeLessThan(1e-12);
    }
    // Not far apart: that is where orthogonal frequencies tell.
    const vectors = Float64Array.of(1, 0, 0, 0, 0, 0.8, 0.6, 0, 0, 0);
    const varianceOf = (orthogonal: boolean): number => {
      const estimates = Array.from({ length: 400 }, (_, seed) => {
        const phi = computeFeatures(
          createRandomFourierFeatures(dimensions, { frequencies: 10, nu, orthogonal, seed }),
          vectors,
          2,
        );
        return dot(phi[0]!, phi[1]!);
      });
      const mean = estimates.reduce((sum, x) => sum + x, 0) / estimates.length;
      return estimates.reduce((sum, x) => sum + (x - mean) ** 2, 0) / estimates.length;
    };
    expect(varianceOf(true)).toBeLessThan(0.8 * varianceOf(false));
  });

  it('come from the seed alone', () => {
    const vectors = createUnitVectors(1, 5, new RandomGenerator(1));
    const of = (seed: number): Float64Array =>
      computeFeatures(createRandomFourierFeatures(5, { frequencies: 8, nu: 2, seed }), vectors, 1)[0]!;
    expect(of(3)).toEqual(of(3));
    expect(of(3)).not.toEqual(of(4));
  });

  it('have length 1, and no kernel of unit vectors is below the least', () => {
    const features = createRandomFourierFeatures(4, { frequencies: 32, nu: 2.5 });
    const vectors = createUnitVectors(1, 4, new RandomGenerator(2));
    const phi = computeFeatures(features, vectors, 1)[0]!;
    expect(dot(phi, phi)).toBeCloseTo(1, 14);
    expect(
      features.kernel(
        vectors,
        vectors.map((x) => -x),
        0,
      ),
    ).toBeCloseTo(features.minKernel, 14);
    expect(features.kernel(vectors, vectors, 0)).toBe(1);
  });

  it('refuse bad options', () => {
    expect(() => createRandomFourierFeatures(4, { frequencies: 0, nu: 1 })).toThrow(
      'frequencies must be a whole number of at least 1, got 0',
    );
    expect(() => createRandomFourierFeatures(4, { frequencies: 8, nu: -1 })).toThrow(
      'nu must be a finite number above 0, got -1',
    );
  });
});

describe('features of several vectors', () => {
  it.each([createRandomFourierFeatures(5, { frequencies: 6, nu: 2 }), createQuadraticFeatures(5)])(
    'add up: $name',
    (features) => {
      const vectors = createUnitVectors(11, 5, new RandomGenerator(7));
      const projected = new Float64Array(11 * features.projectedSize);
      projectVectors(features, vectors, 11, projected);
      const single = computeFeatures(features, vectors, 11);
      for (const [first, count] of [
        [0, 11],
        [2, 4],
        [3, 6],
        [10, 1],
        [5, 0],
      ] as const) {
        const sums = new Float64Array(features.size + 2).fill(1);
        features.addFeatures(projected, first, count, -0.5, sums, 1);
        const expected = Array.from({ length: features.size }, (_, i) =>
          single.slice(first, first + count).reduce((sum, one) => sum - 0.5 * one[i]!, 1),
        );
        for (const [i, value] of expected.entries()) expect(sums[1 + i]).toBeCloseTo(value, 12);
        expect([sums[0], sums[features.size + 1]]).toEqual([1, 1]);
      }
    },
  );
});

describe('quadratic features', () => {
  it('are the kernel exactly', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.nat(1000),
        fc.constantFrom(0, 1, 100),
        (dimensions, seed, alpha) => {
          const features = createQuadraticFeatures(dimensions, { alpha });
          const vectors = createUnitVectors(2, dimensions, new RandomGenerator(seed));
          const phi = computeFeatures(features, vectors, 2);
          const product = dot(vectors.subarray(0, dimensions), vectors.subarray(dimensions));
          expect(phi[0]!.length).toBe((dimensions * (dimensions + 1)) / 2 + 1);
          expect(dot(phi[0]!, phi[1]!)).toBeCloseTo(alpha * product * product + 1, 10);
          expect(features.kernel(vectors, vectors, dimensions)).toBeCloseTo(alpha * product * product + 1, 10);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('refuse a bad alpha', () => {
    expect(() => createQuadraticFeatures(4, { alpha: Number.NaN })).toThrow(
      'alpha must be a finite number of at least 0, got NaN',
    );
  });
});
