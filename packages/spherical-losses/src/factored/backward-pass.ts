/**
 * From the loss's α, β, γ to what is back-propagated, all from the old weights. With α = ∂L/∂r and β = ∂L/∂s the
 * gradient with respect to the outputs is g = 2α(o − μ1) + β1 + γ, so
 *
 *     y = Γ1     Z = (ΓV)U + yωᵀ = ΓW     ∇H = 2 diag(α) H C + βw̄ᵀ + Z
 *
 * and its centred part, g − (1ᵀg/D)1, which is all that the centred Gram matrix sees, back-propagates to 2 diag(α) H C
 * + Z_c with Z_c = Z − y w̄ᵀ/D. Each line below is one pass over m×d numbers, and what the update needs of them is
 * kept.
 */
import {
  affine,
  axpy,
  binary,
  copy,
  fill,
  gemm,
  scaleRows,
  scatterAddRows,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { FactoredWeights } from './factored-weights.ts';
import type { ForwardPass } from './forward-pass.ts';
import type { LossGradients } from './loss-evaluation.ts';
import type { TargetPairs } from './target-pairs.ts';

export interface BackwardPass {
  /** y, m×1. */
  readonly gammaSum: Matrix;
  /** Z_c, m×d: the sparse part, centred. */
  readonly centredSparse: Matrix;
  /** Z_c + diag(α) H C, m×d. */
  readonly halfGradient: Matrix;
  /** Z_c + 2 diag(α) H C, m×d: what the centred part of the output gradient back-propagates to. */
  readonly centredGradient: Matrix;
  /** ∇H, m×d. */
  readonly hiddenGradient: Matrix;
}

export function backwardPass(
  workspace: Workspace,
  weights: Pick<FactoredWeights, 'classes' | 'columnSum' | 'map' | 'shift'>,
  forward: ForwardPass,
  gradients: LossGradients,
  pairs: TargetPairs,
): BackwardPass {
  const { rows: m, columns: d } = forward.hidden;
  const { alpha, beta, gamma } = gradients;

  const gammaSum = sumOfPairs(workspace, 'gamma sum', gamma, forward, pairs);
  const weighted = workspace.matrix('gamma times class rows by pair', pairs.count, d);
  scaleRows(forward.pairClassRows, gamma, weighted);
  const sparse = sumOfPairs(workspace, 'gamma times class rows', weighted, forward, pairs);
  const centring = workspace.matrix('centring', 1, d);
  affine(weights.columnSum, -1 / weights.classes, 0, centring);
  let centredSparse = sparse;
  if (forward.projected !== undefined) {
    // ΓV so far.
    centredSparse = workspace.matrix('centred sparse part', m, d);
    gemm(sparse, weights.map, centredSparse);
    axpy(1, weights.shift, centring);
  }
  gemm(gammaSum, centring, centredSparse, { beta: 1 });

  const alphaProduct = workspace.matrix('alpha product', m, d);
  const halfGradient = workspace.matrix('half gradient', m, d);
  const centredGradient = workspace.matrix('centred gradient', m, d);
  scaleRows(forward.product, alpha, alphaProduct);
  binary('add', centredSparse, alphaProduct, halfGradient);
  binary('add', halfGradient, alphaProduct, centredGradient);

  const mean = workspace.matrix('mean gradient', m, 1);
  copy(beta, mean);
  axpy(1 / weights.classes, gammaSum, mean);
  const hiddenGradient = workspace.matrix('hidden gradient', m, d);
  copy(centredGradient, hiddenGradient);
  gemm(mean, weights.columnSum, hiddenGradient, { beta: 1 });
  return { gammaSum, centredSparse, halfGradient, centredGradient, hiddenGradient };
}

/** Added up by example: the same numbers when every example has one pair. */
function sumOfPairs(
  workspace: Workspace,
  name: string,
  ofPairs: Matrix,
  forward: ForwardPass,
  pairs: TargetPairs,
): Matrix {
  if (pairs.isOneEach) return ofPairs;
  const sum = workspace.matrix(name, forward.hidden.rows, ofPairs.columns);
  fill(0, sum);
  scatterAddRows(ofPairs, forward.pairRows, sum);
  return sum;
}
