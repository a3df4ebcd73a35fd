/**
 * The update in row form (mathematics.md §3b): no m×m product, cheapest when m ≥ d, and the form that shards over machines.
 * 14md² + 11d³ operations, and 4Kd² for the K touched classes. P = I − 11ᵀ/D, Z_c = Z − y w̄ᵀ/D as in the m×m form:
 *
 *     E = −Hᵀ diag(2ηα) H    T = I + E    v = Hᵀy    R = ΓᵀH    N = RᵀR    Y = Z_cᵀH
 *     C ← TᵀCT − η(TᵀY + YᵀT) + η²(N − vvᵀ/D)
 *     w̄ ← w̄ − ηHᵀ(Dβ + y)    ω ← ω − Hᵀ(a∘Hω + η(β − 2αs/D))    U ← UT    U⁻¹ ← T⁻¹U⁻¹    V_c ← V_c − η r_c U_new⁻¹
 *
 * U, U⁻¹ and C are changed by what is added to them, UT = U + UE, T⁻¹U⁻¹ = U⁻¹ − T⁻¹EU⁻¹ and TᵀCT = C + (I + E/2)ᵀCE + (CE)ᵀ(I + E/2), not
 * replaced by a product: a step then rounds them once, elimination in f32 is exact enough, and C stays symmetric to the last bit.
 */
import { addDiagonal, affine, axpy, copy, gemm, scatterRows, solve, symmetricRank2Update, type Matrix } from '@vastmax/linalg-core';
import { touchedGradient, updateColumnSum, updateRowsInFreshBasis, updateShift, type ExactUpdate, type UpdateInputs } from './exact-update.ts';

export class RowFormUpdate implements ExactUpdate {
  readonly form = 'row';

  solve({ workspace, weights, forward, alphaHidden, learningRate, reciprocalCondition }: UpdateInputs): Matrix {
    const d = forward.hidden.columns;
    const change = workspace.matrix('E', d, d);
    const contraction = workspace.matrix('T', d, d);
    gemm(alphaHidden, forward.hidden, change, { transposeA: true, alpha: -2 * learningRate });
    copy(change, contraction);
    addDiagonal(1, contraction);
    const spare = weights.spare('inverse');
    gemm(change, weights.inverse, spare);
    solve(contraction, spare, workspace.matrix('inverse correction', d, d), reciprocalCondition);
    // The spares hold the old values until `apply` adds to them, so that they may be swapped in whether it takes effect or not.
    copy(weights.inverse, spare);
    copy(weights.map, weights.spare('map'));
    return contraction;
  }

  apply(inputs: UpdateInputs, kind: 'regular' | 'singular'): void {
    const { workspace, weights, forward, pairs, learningRate } = inputs;
    const d = forward.hidden.columns;
    const change = workspace.matrix('E', d, d);
    const gradientRows = touchedGradient(inputs);
    this.#updateGram(inputs, change, gradientRows);
    updateColumnSum(inputs);
    updateShift(inputs);
    gemm(weights.map, change, weights.spare('map'), { beta: 1 });
    weights.swap('map');
    weights.markUpdated();

    if (kind === 'singular') {
      updateRowsInFreshBasis(inputs, gradientRows);
      return;
    }
    axpy(-1, workspace.matrix('inverse correction', d, d), weights.spare('inverse'));
    weights.swap('inverse');
    const inBasis = workspace.matrix('gradient in basis', pairs.touched, d);
    gemm(gradientRows, weights.inverse, inBasis);
    axpy(-learningRate, inBasis, forward.touchedRows);
    scatterRows(forward.touchedRows, forward.slotClasses, weights.rows);
  }

  #updateGram(inputs: UpdateInputs, change: Matrix, gradientRows: Matrix): void {
    const { workspace, weights, forward, backward, learningRate } = inputs;
    const { centredGram } = weights;
    const d = change.rows;
    const product = workspace.matrix('CE', d, d);
    gemm(centredGram, change, product);
    const half = workspace.matrix('I + E/2', d, d);
    affine(change, 0.5, 0, half);
    addDiagonal(1, half);
    symmetricRank2Update(half, product, centredGram, { beta: 1 });
    const cross = workspace.matrix('Y', d, d);
    gemm(backward.centredSparse, forward.hidden, cross, { transposeA: true });
    symmetricRank2Update(workspace.matrix('T', d, d), cross, centredGram, { alpha: -learningRate, beta: 1 });
    gemm(gradientRows, gradientRows, centredGram, { transposeA: true, alpha: learningRate ** 2, beta: 1 });
    const v = workspace.matrix('v', 1, d);
    gemm(backward.gammaSum, forward.hidden, v, { transposeA: true });
    gemm(v, v, centredGram, { transposeA: true, alpha: -(learningRate ** 2) / weights.classes, beta: 1 });
  }
}
