/**
 * The parts of the update in row form (mathematics.md §3b), apart so that many machines can add up E, Y and v between
 * computing and using them. No m×m product: cheapest when m ≥ d, and the form that shards. 14md² + 11d³ operations, and
 * 4Kd² for the K touched classes. P = I − 11ᵀ/D, Z_c = Z − y w̄ᵀ/D as in the m×m form:
 *
 *     E = −Hᵀ diag(2ηα) H    T = I + E    v = Hᵀy    R = ΓᵀH    N = RᵀR    Y = Z_cᵀH
 *     C ← TᵀCT − η(TᵀY + YᵀT) + η²(N − vvᵀ/D)
 *     w̄ ← w̄ − ηHᵀ(Dβ + y)    ω ← ω − Hᵀ(a∘Hω + η(β − 2αs/D))    U ← UT    U⁻¹ ← T⁻¹U⁻¹    V_c ← V_c − η r_c U_new⁻¹
 *
 * U, U⁻¹ and C are changed by what is added to them, UT = U + UE, T⁻¹U⁻¹ = U⁻¹ − T⁻¹EU⁻¹ and TᵀCT = C + (I + E/2)ᵀCE +
 * (CE)ᵀ(I + E/2), not replaced by a product: a step then rounds them once, elimination in f32 is exact enough, and C
 * stays symmetric to the last bit.
 */
import {
  addDiagonal,
  affine,
  axpy,
  copy,
  gemm,
  scatterRows,
  solve,
  symmetricRank2Update,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import { updateRowsInFreshBasis, type TouchedRows, type UpdateInputs } from './exact-update.ts';
import type { FactoredWeights } from './factored-weights.ts';

/** E, d×d: a sum over the examples. */
export function mapChange({
  workspace,
  forward: { hidden },
  alphaHidden,
  learningRate,
}: Pick<UpdateInputs, 'workspace' | 'forward' | 'alphaHidden' | 'learningRate'>): Matrix {
  const change = workspace.matrix('E', hidden.columns, hidden.columns);
  gemm(alphaHidden, hidden, change, { transposeA: true, alpha: -2 * learningRate });
  return change;
}

/** Y, d×d: a sum over the examples. */
export function crossProduct({
  workspace,
  forward: { hidden },
  backward,
}: Pick<UpdateInputs, 'workspace' | 'forward' | 'backward'>): Matrix {
  const cross = workspace.matrix('Y', hidden.columns, hidden.columns);
  gemm(backward.centredSparse, hidden, cross, { transposeA: true });
  return cross;
}

/** v, 1×d: a sum over the examples. */
export function gammaVector({
  workspace,
  forward: { hidden },
  backward,
}: Pick<UpdateInputs, 'workspace' | 'forward' | 'backward'>): Matrix {
  const v = workspace.matrix('v', 1, hidden.columns);
  gemm(backward.gammaSum, hidden, v, { transposeA: true });
  return v;
}

/**
 * From E to T = I + E and to what U⁻¹ is changed by, kept in the workspace for the functions below. Nothing that a
 * layer reads has changed.
 * @returns T. Its reciprocal condition says whether the new U has a usable inverse.
 */
export function solveMap(
  workspace: Workspace,
  weights: FactoredWeights,
  change: Matrix,
  reciprocalCondition: Matrix,
): Matrix {
  const d = weights.width;
  const contraction = workspace.matrix('T', d, d);
  copy(change, contraction);
  addDiagonal(1, contraction);
  const spare = weights.spare('inverse');
  gemm(change, weights.inverse, spare);
  solve(contraction, spare, workspace.matrix('inverse correction', d, d), reciprocalCondition);
  // The spares hold the old values until `updateMapAndRows` adds to them, so that they may be swapped in whether it
  // takes effect or not.
  copy(weights.inverse, spare);
  copy(weights.map, weights.spare('map'));
  return contraction;
}

/** C ← TᵀCT − η(TᵀY + YᵀT), after `solveMap`; N and v are for the caller to add. */
export function updateGram(
  workspace: Workspace,
  { centredGram, width: d }: FactoredWeights,
  cross: Matrix,
  learningRate: number,
): void {
  const change = workspace.matrix('E', d, d);
  const product = workspace.matrix('CE', d, d);
  gemm(centredGram, change, product);
  const half = workspace.matrix('I + E/2', d, d);
  affine(change, 0.5, 0, half);
  addDiagonal(1, half);
  symmetricRank2Update(half, product, centredGram, { beta: 1 });
  symmetricRank2Update(workspace.matrix('T', d, d), cross, centredGram, { alpha: -learningRate, beta: 1 });
}

/** U, U⁻¹ and the touched rows of V, when C, w̄ and ω are new already. */
export function updateMapAndRows(
  workspace: Workspace,
  weights: FactoredWeights,
  touched: TouchedRows,
  learningRate: number,
  kind: 'regular' | 'singular',
): void {
  const d = weights.width;
  gemm(weights.map, workspace.matrix('E', d, d), weights.spare('map'), { beta: 1 });
  weights.swap('map');
  weights.markUpdated();
  if (kind === 'singular') {
    updateRowsInFreshBasis(workspace, weights, touched, learningRate);
    return;
  }
  axpy(-1, workspace.matrix('inverse correction', d, d), weights.spare('inverse'));
  weights.swap('inverse');
  const inBasis = workspace.matrix('gradient in basis', touched.count, d);
  gemm(touched.gradient, weights.inverse, inBasis);
  axpy(-learningRate, inBasis, touched.rows);
  scatterRows(touched.rows, touched.indices, weights.rows);
}
