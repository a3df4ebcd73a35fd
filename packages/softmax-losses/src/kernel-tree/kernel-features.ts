/**
 * A kernel k(h, c) that is a scalar product φ(h)ᵀφ(c) of finitely many features, exactly or in expectation.
 * Kernel-based sampling (G. Blanc, S. Rendle, arXiv:1712.00527) uses that it is linear in φ(c): the kernel summed over
 * any set of classes is one scalar product with the sum of their features. So with a tree of such sums a class is drawn
 * with probability ∝ k(h, c) by log₂ D comparisons.
 *
 * Features are computed in two stages, because the first is a matrix product, which a backend computes faster than a
 * loop: projected = P·u (P is p×d; nothing to do if P is the identity), then φ elementwise from the projected numbers.
 */
import type { FloatArray } from '@vastmax/linalg-core';

export interface KernelFeatures {
  /** Stored in checkpoints: `random-fourier`. */
  readonly name: string;
  /** Everything that the features depend on, including the seed. */
  readonly options: Readonly<Record<string, number | boolean>>;
  /** d, the width of h and c. */
  readonly dimensions: number;
  /** Numbers in φ(u): what a node of a tree stores. */
  readonly size: number;
  /** P, projectedSize×d; undefined if projected = u. */
  readonly projection: Float64Array | undefined;
  /** p. */
  readonly projectedSize: number;
  /** A lower bound of the kernel for vectors of length 1; above 0. */
  readonly minKernel: number;
  /**
   * sums[sumsAt …] += scale·Σφ(u), size numbers, over the `count` vectors from row `first` of `projected` (rows of p
   * numbers) on.
   */
  addFeatures(
    projected: FloatArray,
    first: number,
    count: number,
    scale: number,
    sums: Float64Array,
    sumsAt: number,
  ): void;
  /** The kernel itself, without features, of the query and the d numbers of `vectors` at `at`. O(d). */
  kernel(query: FloatArray, vectors: FloatArray, at: number): number;
}

/** projected_i = P·vectors_i for `count` vectors, by loops on the host. O(count·p·d). */
export function projectVectors(
  features: KernelFeatures,
  vectors: FloatArray,
  count: number,
  projected: FloatArray,
): void {
  const { projection, projectedSize, dimensions } = features;
  if (projection === undefined) {
    for (let i = 0; i < count * dimensions; i++) projected[i] = vectors[i]!;
    return;
  }
  for (let row = 0, to = 0; row < count; row++) {
    for (let j = 0; j < projectedSize; j++)
      projected[to++] = scalarProduct(projection, j * dimensions, vectors, row * dimensions, dimensions);
  }
}

/** Σ a_i b_i over `length` numbers, from aAt and bAt on, in f64. */
export function scalarProduct(a: FloatArray, aAt: number, b: FloatArray, bAt: number, length: number): number {
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    sum0 += a[aAt + i]! * b[bAt + i]!;
    sum1 += a[aAt + i + 1]! * b[bAt + i + 1]!;
    sum2 += a[aAt + i + 2]! * b[bAt + i + 2]!;
    sum3 += a[aAt + i + 3]! * b[bAt + i + 3]!;
  }
  for (; i < length; i++) sum0 += a[aAt + i]! * b[bAt + i]!;
  return sum0 + sum1 + (sum2 + sum3);
}
