/** Trees over random vectors of length 1, and what they should be, computed without a tree. */
import type { RandomGenerator } from '@vastmax/sparse-data';
import { FeatureTree, rebuildSums, writeVectors, type FeatureTreeOptions } from '../../src/kernel-tree/feature-tree.ts';
import { projectVectors, type KernelFeatures } from '../../src/kernel-tree/kernel-features.ts';

/** count×d, each of length 1. */
export function createUnitVectors(count: number, dimensions: number, random: RandomGenerator): Float64Array {
  const vectors = Float64Array.from({ length: count * dimensions }, () => random.normal());
  for (let row = 0; row < count; row++) {
    const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    const length = Math.hypot(...vector);
    for (let i = 0; i < dimensions; i++) vector[i] = vector[i]! / length;
  }
  return vectors;
}

/** φ of each of count vectors. */
export function computeFeatures(features: KernelFeatures, vectors: Float64Array, count: number): Float64Array[] {
  const projected = new Float64Array(count * features.projectedSize);
  projectVectors(features, vectors, count, projected);
  return Array.from({ length: count }, (_, row) => {
    const out = new Float64Array(features.size);
    features.addFeatures(projected, row, 1, 1, out, 0);
    return out;
  });
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

export function createFilledTree(options: FeatureTreeOptions, vectors: Float64Array): FeatureTree {
  const tree = new FeatureTree({ precision: 'f64', ...options });
  writeVectors(tree, 0, options.classes, vectors);
  rebuildSums(tree);
  return tree;
}

/** All numbers of the table of sums. */
export function sumsOf(tree: FeatureTree): number[] {
  return tree.sums.pieces.flatMap((piece) => [...piece]).slice(0, tree.leaves * tree.features.size);
}

/** P of every class: branch by branch with both children's scores added up class by class, clamped. */
export function naiveProbabilities(
  tree: FeatureTree,
  vectors: Float64Array,
  query: Float64Array,
  floor: number,
): Float64Array {
  const { classes, features, leafClasses } = tree;
  const phi = computeFeatures(features, vectors, classes);
  const queryFeatures = computeFeatures(features, query, 1)[0]!;
  const probabilities = new Float64Array(classes);
  const visit = (from: number, to: number, probability: number): void => {
    const [first, last] = [from * leafClasses, Math.min(classes, to * leafClasses)];
    if (to - from === 1) {
      const kernels = Array.from({ length: last - first }, (_, i) =>
        Math.max(floor, features.kernel(query, vectors, (first + i) * features.dimensions)),
      );
      const total = kernels.reduce((sum, kernel) => sum + kernel, 0);
      for (const [i, kernel] of kernels.entries()) probabilities[first + i] = (probability * kernel) / total;
      return;
    }
    const score = (low: number, high: number): number => {
      let sum = 0;
      for (let row = low; row < high; row++) sum += dot(queryFeatures, phi[row]!);
      return Math.max(sum, floor * (high - low));
    };
    const middle = (from + to) >>> 1;
    const [left, right] = [score(first, middle * leafClasses), score(middle * leafClasses, last)];
    visit(from, middle, (probability * left) / (left + right));
    visit(middle, to, (probability * right) / (left + right));
  };
  visit(0, tree.leaves, 1);
  return probabilities;
}
