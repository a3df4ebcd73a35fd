import { RandomGenerator } from '@vastmax/sparse-data';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TreeDescent } from '../../src/kernel-tree/tree-descent.ts';
import type { FeatureTree } from '../../src/kernel-tree/feature-tree.ts';
import { projectVectors, type KernelFeatures } from '../../src/kernel-tree/kernel-features.ts';
import { createQuadraticFeatures } from '../../src/kernel-tree/quadratic-features.ts';
import { createRandomFourierFeatures } from '../../src/kernel-tree/random-fourier-features.ts';
import { computeFeatures, createFilledTree, createUnitVectors, dot, naiveProbabilities } from './tree-samples.ts';

const dimensions = 4;
/** Accurate enough that no branch comes out negative, and so coarse that many do. */
const fine = createRandomFourierFeatures(dimensions, { frequencies: 4096, nu: 1 });
const coarse = createRandomFourierFeatures(dimensions, { frequencies: 4, nu: 5 });
const quadratic = createQuadraticFeatures(dimensions);

function begin(descent: TreeDescent, query: Float64Array): void {
  const { features } = descent.tree;
  const projected = new Float64Array(features.projectedSize);
  projectVectors(features, query, 1, projected);
  descent.begin(query, projected, 0);
}

function allProbabilities(descent: TreeDescent): Float64Array {
  return Float64Array.from({ length: descent.tree.classes }, (_, target) => descent.probabilityOf(target));
}

function sum(values: ArrayLike<number>): number {
  return dot(values, new Float64Array(values.length).fill(1));
}

function largestRelativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! / b[i]! - 1));
  return largest;
}

describe('probabilities', () => {
  it.each([1, 2, 3, 31, 64, 100])('of a tree over %i classes equal the flat ones, to 1e-12', (classes) => {
    const random = new RandomGenerator(classes);
    const vectors = createUnitVectors(classes, dimensions, random);
    for (const features of [fine, quadratic]) {
      const descent = new TreeDescent(createFilledTree({ classes, features, leafClasses: 1 }, vectors), {
        floor: 1e-300,
      });
      for (let round = 0; round < 3; round++) {
        const query = createUnitVectors(1, dimensions, random);
        const phi = computeFeatures(features, query, 1)[0]!;
        const scores = computeFeatures(features, vectors, classes).map((one) => dot(phi, one));
        expect(Math.min(...scores)).toBeGreaterThan(0);
        const total = sum(scores);
        begin(descent, query);
        expect(
          largestRelativeDifference(
            allProbabilities(descent),
            scores.map((score) => score / total),
          ),
        ).toBeLessThan(1e-12);
      }
    }
  });

  it('of a quadratic tree equal the flat ones with leaves of any size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 1, max: 90 }),
        fc.nat(1000),
        (classes, leafClasses, seed) => {
          const random = new RandomGenerator(seed);
          const vectors = createUnitVectors(classes, dimensions, random);
          const query = createUnitVectors(1, dimensions, random);
          const kernels = Float64Array.from({ length: classes }, (_, row) =>
            quadratic.kernel(query, vectors, row * dimensions),
          );
          const descent = new TreeDescent(createFilledTree({ classes, features: quadratic, leafClasses }, vectors));
          begin(descent, query);
          const total = sum(kernels);
          expect(
            largestRelativeDifference(
              allProbabilities(descent),
              kernels.map((kernel) => kernel / total),
            ),
          ).toBeLessThan(1e-12);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are those of the clamped branches, and add up to 1 to 1e-12', () => {
    let clamped = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(1000),
        fc.constantFrom(1e-4, 0.01, 0.2),
        (classes, leafClasses, seed, floor) => {
          const random = new RandomGenerator(seed);
          const vectors = createUnitVectors(classes, dimensions, random);
          const query = createUnitVectors(1, dimensions, random);
          const tree = createFilledTree({ classes, features: coarse, leafClasses }, vectors);
          const descent = new TreeDescent(tree, { floor });
          begin(descent, query);
          const probabilities = allProbabilities(descent);
          expect(Math.abs(sum(probabilities) - 1)).toBeLessThan(1e-12);
          expect(
            largestRelativeDifference(probabilities, naiveProbabilities(tree, vectors, query, floor)),
          ).toBeLessThan(1e-9);
          const phi = computeFeatures(coarse, query, 1)[0]!;
          if (computeFeatures(coarse, vectors, classes).some((one) => dot(phi, one) < 0)) clamped++;
        },
      ),
      { numRuns: 60 },
    );
    expect(clamped).toBeGreaterThan(20);
  });
});

/**
 * χ² of draws against the tree's own probabilities, and its degrees of freedom; cells of fewer than 5 expected draws
 * are merged.
 */
function chiSquare(
  descent: TreeDescent,
  draws: number,
  random: RandomGenerator,
): { readonly statistic: number; readonly freedom: number } {
  const probabilities = allProbabilities(descent);
  const counts = new Float64Array(probabilities.length);
  for (let i = 0; i < draws; i++) {
    const drawn = descent.draw(random);
    expect(descent.probability).toBe(probabilities[drawn]);
    counts[drawn]!++;
  }
  let [statistic, cells, restCount, restExpected] = [0, 0, 0, 0];
  for (const [target, probability] of probabilities.entries()) {
    const expected = draws * probability;
    if (expected < 5) {
      restCount += counts[target]!;
      restExpected += expected;
      continue;
    }
    statistic += (counts[target]! - expected) ** 2 / expected;
    cells++;
  }
  if (restExpected >= 5) {
    statistic += (restCount - restExpected) ** 2 / restExpected;
    cells++;
  }
  return { statistic, freedom: cells - 1 };
}

describe('draws', () => {
  const cases: readonly (readonly [string, KernelFeatures, number])[] = [
    ['quadratic', quadratic, 3],
    ['accurate random Fourier', fine, 2],
    ['coarse, clamped random Fourier', coarse, 1],
    ['coarse random Fourier with large leaves', coarse, 16],
  ];
  it.each(cases)('from a tree of %s features have their probabilities', (_, features, leafClasses) => {
    const random = new RandomGenerator(12);
    const classes = 45;
    const vectors = createUnitVectors(classes, dimensions, random);
    const descent = new TreeDescent(createFilledTree({ classes, features, leafClasses }, vectors), { floor: 0.005 });
    for (let round = 0; round < 3; round++) {
      begin(descent, createUnitVectors(1, dimensions, random));
      const { statistic, freedom } = chiSquare(descent, 20_000, random);
      expect(freedom).toBeGreaterThan(10);
      // Four standard deviations of χ².
      expect(statistic).toBeLessThan(freedom + 4 * Math.sqrt(2 * freedom));
    }
  });

  it('of one query score a node once, and another query scores it anew', () => {
    const random = new RandomGenerator(3);
    const classes = 300;
    const vectors = createUnitVectors(classes, dimensions, random);
    const tree = createFilledTree({ classes, features: quadratic, leafClasses: 2 }, vectors);
    const descent = new TreeDescent(tree);
    begin(descent, createUnitVectors(1, dimensions, random));
    descent.draw(random);
    expect(descent.nodesScored).toBeLessThanOrEqual(1 + Math.ceil(Math.log2(tree.leaves)));
    for (let i = 0; i < 5000; i++) descent.draw(random);
    expect(descent.nodesScored).toBe(tree.leaves);
    begin(descent, createUnitVectors(1, dimensions, random));
    descent.draw(random);
    expect(descent.nodesScored).toBeGreaterThan(tree.leaves);
  });

  it('of a query that is not finite have no probability', () => {
    for (const features of [coarse, quadratic]) {
      const descent = new TreeDescent(
        createFilledTree(
          { classes: 9, features, leafClasses: 2 },
          createUnitVectors(9, dimensions, new RandomGenerator(1)),
        ),
      );
      for (const bad of [Number.NaN, Infinity]) {
        begin(descent, Float64Array.of(0, bad, 1, 1));
        expect([descent.draw(new RandomGenerator(1)), descent.probability]).toEqual([0, Number.NaN]);
      }
    }
  });

  it('are the same for the same generator', () => {
    const drawn = (tree: FeatureTree): number[] => {
      const random = new RandomGenerator(5);
      const descent = new TreeDescent(tree);
      begin(descent, createUnitVectors(1, dimensions, random));
      return Array.from({ length: 50 }, () => descent.draw(random));
    };
    const vectors = createUnitVectors(70, dimensions, new RandomGenerator(6));
    const tree = createFilledTree({ classes: 70, features: coarse }, vectors);
    expect(drawn(tree)).toEqual(drawn(tree));
    expect(new Set(drawn(tree)).size).toBeGreaterThan(5);
  });
});
