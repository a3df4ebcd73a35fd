/**
 * C and w̄ of all rows from each rank's own: sums of the samples put together (T. Chan, G. Golub, R. LeVeque, 1983), in
 * f64. O(D·d²/p) a rank.
 *
 *     w̄ = Σ_r w̄_r        C = Σ_r C_r + n_r (w̄_r/n_r − w̄/D)ᵀ(w̄_r/n_r − w̄/D)
 */
import type { Workspace } from '@vastmax/linalg-core';
import { computeGram, type FactoredWeights, type GramSums } from '@vastmax/spherical-losses/factored-parts';
import type { Communicator } from '@vastmax/collectives';

/** A collective. @param classes D over all ranks. */
export async function computeUnionGram(
  communicator: Communicator,
  workspace: Workspace,
  weights: FactoredWeights,
  classes: number,
): Promise<GramSums> {
  const { width } = weights;
  const own = weights.classes;
  const { centredGram, columnSum } = await computeGram(workspace, own, width, (first, count, out) => {
    weights.denseRows(first, count, out);
  });
  const total = columnSum.slice();
  communicator.allReduce(total);
  if (own > 0) {
    const apart = columnSum.map((sum, i) => sum / own - total[i]! / classes);
    for (let i = 0; i < width; i++)
      for (let j = 0; j < width; j++) centredGram[i * width + j]! += own * apart[i]! * apart[j]!;
  }
  communicator.allReduce(centredGram);
  return { centredGram, columnSum: total };
}
