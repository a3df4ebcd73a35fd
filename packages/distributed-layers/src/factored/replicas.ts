/**
 * U, U⁻¹, C, ω and w̄ are stored on every rank and changed by the same numbers in the same way, so on machines of one
 * kind they stay bitwise equal. Processors of different kinds use different kernels, which round differently. So the
 * matrices are compared by a checksum from time to time, and if they differ all ranks copy those of rank 0.
 */
import { createHostArray, read, write, type FloatArray, type Matrix } from '@vastmax/linalg-core';
import { type FactoredWeights, computeGram, type GramSums } from '@vastmax/spherical-losses/factored-parts';
import { type Communicator, ArrayChecksum } from '@vastmax/collectives';
import type { RankContext } from './class-shard.ts';

export class Replicas {
  readonly #communicator: Communicator;
  readonly #weights: FactoredWeights;
  readonly #square: FloatArray;
  readonly #row: FloatArray;

  constructor(communicator: Communicator, weights: FactoredWeights) {
    this.#communicator = communicator;
    this.#weights = weights;
    this.#square = createHostArray(weights.backend, weights.width ** 2);
    this.#row = createHostArray(weights.backend, weights.width);
  }

  /** 53 bits of all replicated numbers, never 0. O(d²). */
  async computeChecksum(): Promise<number> {
    const hash = new ArrayChecksum();
    for (const matrix of this.#matrices()) hash.add(await read(matrix, this.#hostOf(matrix)));
    return hash.value;
  }

  /** Broadcasts the matrices of rank 0 to all ranks. A collective. */
  async copyFromRankZero(): Promise<void> {
    for (const matrix of this.#matrices()) {
      const host = await read(matrix, this.#hostOf(matrix));
      this.#communicator.broadcast(host, 0);
      write(host, matrix);
    }
  }

  /** The ranks whose checksum differs from that of rank 0. */
  static differing(checksums: readonly number[]): number[] {
    return checksums.flatMap((checksum, rank) => (checksum === checksums[0] ? [] : [rank]));
  }

  #matrices(): readonly Matrix[] {
    const { map, inverse, centredGram, shift, columnSum } = this.#weights;
    return [map, inverse, centredGram, shift, columnSum];
  }

  #hostOf(matrix: Matrix): FloatArray {
    return matrix.rows === 1 ? this.#row : this.#square;
  }
}

/**
 * C and w̄ of all rows from those of each rank, combined as sums of samples (T. Chan, G. Golub, R. LeVeque, 1983), in
 * f64. A collective, O(D·d²/p) per rank.
 *
 *     w̄ = Σ_r w̄_r        C = Σ_r C_r + n_r (w̄_r/n_r − w̄/D)ᵀ(w̄_r/n_r − w̄/D)
 */
export async function computeGlobalGram(context: RankContext): Promise<GramSums> {
  const { communicator, workspace, weights, partition } = context;
  const { width } = weights;
  const own = weights.classes;
  const { centredGram, columnSum } = await computeGram(workspace, weights);
  const total = columnSum.slice();
  communicator.allReduce(total);
  if (own > 0) {
    const apart = columnSum.map((sum, i) => sum / own - total[i]! / partition.rows);
    for (let i = 0; i < width; i++)
      for (let j = 0; j < width; j++) centredGram[i * width + j]! += own * apart[i]! * apart[j]!;
  }
  communicator.allReduce(centredGram);
  return { centredGram, columnSum: total };
}
