/**
 * Random Fourier features (A. Rahimi, B. Recht, NIPS 2007): φ(u) = [cos(w_jᵀu), sin(w_jᵀu)]_j/√R with w_j ~ N(0, νI),
 * so that E φ(h)ᵀφ(c) = exp(−ν‖h−c‖²/2). For vectors of length 1 that is e^(−ν)·exp(ν hᵀc): softmax with the inverse
 * temperature ν (A. S. Rawat et al., arXiv:1907.10747 §3). The estimate of one pair has a variance below 1/(2R).
 */
import type { FloatArray } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import { RandomGenerator } from '@vastmax/sparse-data';
import type { KernelFeatures } from './kernel-features.ts';
import { orthogonalizeBlocks } from './orthogonal-rows.ts';
import { addCosinesAndSines } from './sine-cosine.ts';

export interface RandomFourierFeaturesOptions {
  /** R, how many w_j: φ has 2R numbers. */
  readonly frequencies: number;
  /** ν, the kernel's inverse temperature. */
  readonly nu: number;
  /** Make the w_j of each block of d orthogonal, for less variance. True unless given. */
  readonly orthogonal?: boolean;
  /** Seed of the w_j; 1 unless given. */
  readonly seed?: number;
}

/** @param dimensions d. @throws OutputLayerError `bad-option`. O(R·d²), or O(R·d) where not orthogonal. */
export function createRandomFourierFeatures(dimensions: number, options: RandomFourierFeaturesOptions): KernelFeatures {
  const { frequencies, nu, orthogonal = true, seed = 1 } = options;
  if (!Number.isSafeInteger(frequencies) || frequencies < 1) {
    throw new OutputLayerError(
      'bad-option',
      `random Fourier features: frequencies must be a whole number of at least 1, got ${frequencies}`,
    );
  }
  if (!Number.isFinite(nu) || nu <= 0) {
    throw new OutputLayerError('bad-option', `random Fourier features: nu must be a finite number above 0, got ${nu}`);
  }
  const random = new RandomGenerator(seed);
  const projection = Float64Array.from({ length: frequencies * dimensions }, () => Math.sqrt(nu) * random.normal());
  if (orthogonal) orthogonalizeBlocks(projection, dimensions);
  const factor = 1 / Math.sqrt(frequencies);
  return {
    name: 'random-fourier',
    options: { frequencies, nu, orthogonal, seed },
    dimensions,
    size: 2 * frequencies,
    projection,
    projectedSize: frequencies,
    minKernel: Math.exp(-2 * nu),
    addFeatures(projected, first, count, scale, sums, sumsAt) {
      for (let row = first; row < first + count; row++)
        addCosinesAndSines(projected, row * frequencies, frequencies, scale * factor, sums, sumsAt);
    },
    kernel(query, vectors, at) {
      return Math.exp(-0.5 * nu * squaredDistance(query, vectors, at, dimensions));
    },
  };
}

function squaredDistance(query: FloatArray, vectors: FloatArray, at: number, length: number): number {
  let even = 0;
  let odd = 0;
  let i = 0;
  for (; i + 1 < length; i += 2) {
    const first = query[i]! - vectors[at + i]!;
    const second = query[i + 1]! - vectors[at + i + 1]!;
    even += first * first;
    odd += second * second;
  }
  if (i < length) {
    const last = query[i]! - vectors[at + i]!;
    even += last * last;
  }
  return even + odd;
}
