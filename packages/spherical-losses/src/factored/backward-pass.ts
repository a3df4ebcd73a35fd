/**
 * From the loss's α, β, γ to what is back-propagated, mathematics.md §3, B1 to B3, all from the old weights:
 *
 *     y = Γ1     Z₀ = (ΓV)U + yωᵀ     Z = Z₀ + βw̄ᵀ     ∇H = 2 diag(α) Ĥ + Z
 */
import { axpy, copy, fill, gemm, scaleRows, scatterAddRows, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { FactoredWeights } from './factored-weights.ts';
import type { ForwardPass } from './forward-pass.ts';
import type { LossGradients } from './loss-evaluation.ts';

export interface BackwardPass {
  /** y, m×1. */
  readonly gammaSum: Matrix;
  /** Z₀, m×d. */
  readonly sparsePart: Matrix;
  /** Z + diag(α)Ĥ, m×d. */
  readonly halfGradient: Matrix;
  /** ∇H, m×d. */
  readonly hiddenGradient: Matrix;
}

export function backwardPass(
  workspace: Workspace,
  weights: FactoredWeights,
  forward: ForwardPass,
  gradients: LossGradients,
): BackwardPass {
  const { rows: m, columns: d } = forward.hidden;
  const pairs = forward.outputs.rows;
  const { alpha, beta, gamma } = gradients;

  const gammaSum = workspace.matrix('gamma sum', m, 1);
  fill(0, gammaSum);
  scatterAddRows(gamma, forward.pairRows, gammaSum);

  const weighted = workspace.matrix('gamma times V by pair', pairs, d);
  const gammaV = workspace.matrix('gamma times V', m, d);
  scaleRows(forward.pairRowsOfV, gamma, weighted);
  fill(0, gammaV);
  scatterAddRows(weighted, forward.pairRows, gammaV);

  const sparsePart = workspace.matrix('sparse part', m, d);
  gemm(gammaV, weights.map, sparsePart);
  gemm(gammaSum, weights.shift, sparsePart, { beta: 1 });

  const alphaProduct = workspace.matrix('alpha product', m, d);
  const halfGradient = workspace.matrix('half gradient', m, d);
  const hiddenGradient = workspace.matrix('hidden gradient', m, d);
  scaleRows(forward.product, alpha, alphaProduct);
  copy(sparsePart, halfGradient);
  gemm(beta, weights.columnSum, halfGradient, { beta: 1 });
  axpy(1, alphaProduct, halfGradient);
  copy(halfGradient, hiddenGradient);
  axpy(1, alphaProduct, hiddenGradient);
  return { gammaSum, sparsePart, halfGradient, hiddenGradient };
}
