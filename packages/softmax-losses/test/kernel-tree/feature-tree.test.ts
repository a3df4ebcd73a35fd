import { RandomGenerator } from '@vastmax/sparse-data';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeatureTree, rebuildSums } from '../../src/kernel-tree/feature-tree.ts';
import { projectVectors, type KernelFeatures } from '../../src/kernel-tree/kernel-features.ts';
import { createQuadraticFeatures } from '../../src/kernel-tree/quadratic-features.ts';
import { createRandomFourierFeatures } from '../../src/kernel-tree/random-fourier-features.ts';
import { computeFeatures, createFilledTree, createUnitVectors, sumsOf } from './tree-samples.ts';

const dimensions = 5;
const kernels: readonly KernelFeatures[] = [
  createRandomFourierFeatures(dimensions, { frequencies: 8, nu: 2 }),
  createQuadraticFeatures(dimensions),
];

/** Change classes of the tree and of `vectors`, which the tree had. */
function changeVectors(
  tree: FeatureTree,
  vectors: Float64Array,
  changed: readonly number[],
  random: RandomGenerator,
): void {
  const { features } = tree;
  const count = changed.length;
  const projected = new Float64Array(count * features.projectedSize);
  const projectedBefore = new Float64Array(count * features.projectedSize);
  const before = Float64Array.from(
    changed.flatMap((row) => [...vectors.subarray(row * dimensions, (row + 1) * dimensions)]),
  );
  const after = createUnitVectors(count, dimensions, random);
  projectVectors(features, before, count, projectedBefore);
  projectVectors(features, after, count, projected);
  tree.change({ classes: Int32Array.from(changed), count, vectors: after, projected, projectedBefore });
  for (const [i, row] of changed.entries())
    vectors.set(after.subarray(i * dimensions, (i + 1) * dimensions), row * dimensions);
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  return a.reduce((largest, x, i) => Math.max(largest, Math.abs(x - b[i]!)), 0);
}

describe.each(kernels)('a tree of $name features', (features) => {
  it('holds in each row the sum over the left half of the node that splits there, and in row 0 all', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 7 }),
        fc.nat(1000),
        (classes, leafClasses, seed) => {
          const vectors = createUnitVectors(classes, dimensions, new RandomGenerator(seed));
          const tree = createFilledTree({ classes, features, leafClasses }, vectors);
          const phi = computeFeatures(features, vectors, classes);
          const expected = new Float64Array(tree.leaves * features.size);
          const add = (row: number, from: number, to: number): void => {
            for (let one = from * tree.leafClasses; one < Math.min(classes, to * tree.leafClasses); one++) {
              for (let i = 0; i < features.size; i++) expected[row * features.size + i]! += phi[one]![i]!;
            }
          };
          const visit = (from: number, to: number): void => {
            if (to - from < 2) return;
            const middle = (from + to) >>> 1;
            add(middle, from, middle);
            visit(from, middle);
            visit(middle, to);
          };
          add(0, 0, tree.leaves);
          visit(0, tree.leaves);
          expect(largestDifference(sumsOf(tree), [...expected])).toBeLessThan(1e-10);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('after any changes has the sums that a rebuild has', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.uniqueArray(fc.nat(39), { minLength: 0, maxLength: 12 }), { maxLength: 4 }),
        (classes, leafClasses, rounds) => {
          const random = new RandomGenerator(classes);
          const vectors = createUnitVectors(classes, dimensions, random);
          const tree = createFilledTree({ classes, features, leafClasses }, vectors);
          for (const round of rounds) {
            changeVectors(
              tree,
              vectors,
              round.filter((row) => row < classes).sort((a, b) => a - b),
              random,
            );
          }
          const fresh = createFilledTree({ classes, features, leafClasses }, vectors);
          expect(largestDifference(sumsOf(tree), sumsOf(fresh))).toBeLessThan(1e-10);
          expect(tree.vectors.pieces).toEqual(fresh.vectors.pieces);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('drifts little in f32 over 100,000 changes of classes, and a rebuild removes it', () => {
    const [classes, perChange] = [50, 20];
    const random = new RandomGenerator(8);
    const vectors = createUnitVectors(classes, dimensions, random).map((x) => Math.fround(x));
    const tree = createFilledTree({ classes, features, leafClasses: 2, precision: 'f32' }, vectors);
    const rows = Array.from({ length: classes }, (_, row) => row);
    for (let change = 0; change < 100_000 / perChange; change++) {
      const start = random.integer(classes);
      const changed = rows.filter((row) => (row - start + classes) % classes < perChange);
      changeVectors(tree, vectors, changed, random);
    }
    const exact = sumsOf(createFilledTree({ classes, features, leafClasses: 2 }, vectors));
    const scale = exact.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
    const drift = largestDifference(sumsOf(tree), exact) / scale;
    expect(drift).toBeGreaterThan(1e-8);
    expect(drift).toBeLessThan(2e-5);
    rebuildSums(tree);
    expect(largestDifference(sumsOf(tree), exact) / scale).toBeLessThan(5e-7);
  });
});

describe('FeatureTree', () => {
  it('balances memory: the default leaf makes the sums as large as the vectors', () => {
    const features = createRandomFourierFeatures(10, { frequencies: 40, nu: 1 });
    const tree = new FeatureTree({ classes: 1000, features });
    expect(tree.leafClasses).toBe(8);
    expect(tree.bytes).toBe(4 * (1000 * 10 + 125 * 80));
    expect(new FeatureTree({ classes: 3, features }).leaves).toBe(1);
  });

  it('refuses bad options', () => {
    const features = createQuadraticFeatures(3);
    expect(() => new FeatureTree({ classes: 0, features })).toThrow(
      'classes must be a whole number from 1 to 2³¹ − 1, got 0',
    );
    expect(() => new FeatureTree({ classes: 5, features, leafClasses: 0.5 })).toThrow(
      'leafClasses must be a whole number of at least 1, got 0.5',
    );
  });
});
