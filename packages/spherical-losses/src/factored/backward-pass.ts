/**
 * From the loss's α, β, γ to what is back-propagated, all from the old weights. With α = ∂L/∂r and β = ∂L/∂s the gradient with respect to the
 * outputs is g = 2α(o − μ1) + β1 + γ, so
 *
 *     y = Γ1     Z = (ΓV)U + yωᵀ     ∇H = 2 diag(α) H C + βw̄ᵀ + Z
 *
 * and its centred part, g − (1ᵀg/D)1, which is all that the centred Gram matrix sees, back-propagates to 2 diag(α) H C + Z − y w̄ᵀ/D.
 */
import { axpy, copy, fill, gemm, scaleRows, scatterAddRows, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { FactoredWeights } from './factored-weights.ts';
import type { ForwardPass } from './forward-pass.ts';
import type { LossGradients } from './loss-evaluation.ts';

export interface BackwardPass {
  /** y, m×1. */
  readonly gammaSum: Matrix;
  /** Z − y w̄ᵀ/D, m×d: the sparse part, centred. */
  readonly centredSparse: Matrix;
  /** diag(α) H C, m×d. */
  readonly alphaProduct: Matrix;
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

  const hiddenGradient = workspace.matrix('hidden gradient', m, d);
  gemm(gammaV, weights.map, hiddenGradient);
  gemm(gammaSum, weights.shift, hiddenGradient, { beta: 1 });
  const centredSparse = workspace.matrix('centred sparse part', m, d);
  copy(hiddenGradient, centredSparse);
  gemm(gammaSum, weights.columnSum, centredSparse, { alpha: -1 / weights.classes, beta: 1 });

  const alphaProduct = workspace.matrix('alpha product', m, d);
  scaleRows(forward.product, alpha, alphaProduct);
  gemm(beta, weights.columnSum, hiddenGradient, { beta: 1 });
  axpy(2, alphaProduct, hiddenGradient);
  return { gammaSum, centredSparse, alphaProduct, hiddenGradient };
}
