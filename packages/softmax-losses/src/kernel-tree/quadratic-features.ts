/**
 * The quadratic kernel α(hᵀc)² + 1 of G. Blanc and S. Rendle (arXiv:1712.00527 §3.3; α = 100 there): φ(u) = [√α
 * vec(uuᵀ), 1], exact, at least 1, independent of the sign of hᵀc. uuᵀ is symmetric, so only its lower triangle is
 * stored, with the elements below the diagonal multiplied by √2: d(d+1)/2 + 1 numbers.
 */
import type { FloatArray } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import { scalarProduct, type KernelFeatures } from './kernel-features.ts';

export interface QuadraticFeaturesOptions {
  /** α; default 100. */
  readonly alpha?: number;
}

/** @param dimensions d. @throws OutputLayerError `bad-option`. */
export function createQuadraticFeatures(dimensions: number, options: QuadraticFeaturesOptions = {}): KernelFeatures {
  const { alpha = 100 } = options;
  if (!Number.isFinite(alpha) || alpha < 0) {
    throw new OutputLayerError(
      'bad-option',
      `quadratic features: alpha must be a finite number of at least 0, got ${alpha}`,
    );
  }
  const size = (dimensions * (dimensions + 1)) / 2 + 1;
  const onDiagonal = Math.sqrt(alpha);
  const offDiagonal = Math.sqrt(2 * alpha);
  return {
    name: 'quadratic',
    options: { alpha },
    dimensions,
    size,
    projection: undefined,
    projectedSize: dimensions,
    minKernel: 1,
    addFeatures(projected, first, count, scale, sums, sumsAt) {
      let row = first;
      for (; row + 3 < first + count; row += 4)
        addFourSquares(projected, row * dimensions, dimensions, scale * onDiagonal, scale * offDiagonal, sums, sumsAt);
      for (; row < first + count; row++)
        addSquare(projected, row * dimensions, dimensions, scale * onDiagonal, scale * offDiagonal, sums, sumsAt);
      const last = sumsAt + size - 1;
      sums[last] = sums[last]! + count * scale;
    },
    kernel(query, vectors, at) {
      const product = scalarProduct(query, 0, vectors, at, dimensions);
      return alpha * product * product + 1;
    },
  };
}

function addSquare(
  vectors: FloatArray,
  at: number,
  length: number,
  diagonal: number,
  across: number,
  sums: Float64Array,
  sumsAt: number,
): void {
  for (let i = 0, to = sumsAt; i < length; i++, to++) {
    const own = vectors[at + i]!;
    const factor = across * own;
    for (let j = 0; j < i; j++, to++) sums[to] = sums[to]! + factor * vectors[at + j]!;
    sums[to] = sums[to]! + diagonal * own * own;
  }
}

/** As addSquare, for four consecutive vectors, so that each sum is read and written once for all four. */
function addFourSquares(
  vectors: FloatArray,
  at: number,
  length: number,
  diagonal: number,
  across: number,
  sums: Float64Array,
  sumsAt: number,
): void {
  const at1 = at + length;
  const at2 = at1 + length;
  const at3 = at2 + length;
  for (let i = 0, to = sumsAt; i < length; i++, to++) {
    const own0 = vectors[at + i]!;
    const own1 = vectors[at1 + i]!;
    const own2 = vectors[at2 + i]!;
    const own3 = vectors[at3 + i]!;
    for (let j = 0; j < i; j++, to++) {
      sums[to] =
        sums[to]! +
        across *
          (own0 * vectors[at + j]! + own1 * vectors[at1 + j]! + (own2 * vectors[at2 + j]! + own3 * vectors[at3 + j]!));
    }
    sums[to] = sums[to]! + diagonal * (own0 * own0 + own1 * own1 + (own2 * own2 + own3 * own3));
  }
}
