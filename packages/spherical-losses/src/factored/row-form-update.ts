/**
 * The update in row form (mathematics.md §3b): no m×m product, cheapest when m ≥ d, and the form that shards over machines.
 * 14md² + 9d³ operations, and 4Cd² for the C touched classes.
 *
 *     A = Hᵀ diag(2α) H    T = I − ηA    b = Hᵀβ    v = Hᵀy    R = ΓᵀH    N = RᵀR    Y = w̄bᵀ + Z₀ᵀH
 *     Q ← TᵀQT − η(TᵀY + YᵀT) + η²(D bbᵀ + bvᵀ + vbᵀ + N)
 *     w̄ ← Tw̄ − η(Db + v)    ω ← Tω − ηb    U ← UT    U⁻¹ ← T⁻¹U⁻¹    V_c ← V_c − η r_c U_new⁻¹
 */
import { addDiagonal, axpy, copy, gemm, scatterAddRows, solve, symmetricRank2Update, type Matrix } from '@vastmax/linalg-core';
import { touchedGradient, updateRowsInFreshBasis, type ExactUpdate, type UpdateInputs } from './exact-update.ts';

export class RowFormUpdate implements ExactUpdate {
  readonly form = 'row';

  solve({ workspace, weights, forward, scaledHidden, reciprocalCondition }: UpdateInputs): Matrix {
    const d = forward.hidden.columns;
    const contraction = workspace.matrix('T', d, d);
    gemm(scaledHidden, forward.hidden, contraction, { transposeA: true, alpha: -1 });
    addDiagonal(1, contraction);
    solve(contraction, weights.inverse, weights.spare('inverse'), reciprocalCondition);
    return contraction;
  }

  apply(inputs: UpdateInputs, kind: 'regular' | 'singular'): void {
    const { workspace, weights, forward, gradients, backward, pairs, learningRate } = inputs;
    const { hidden } = forward;
    const d = hidden.columns;
    const contraction = workspace.matrix('T', d, d);
    const b = workspace.matrix('b', 1, d);
    const v = workspace.matrix('v', 1, d);
    gemm(gradients.beta, hidden, b, { transposeA: true });
    gemm(backward.gammaSum, hidden, v, { transposeA: true });
    const gradientRows = touchedGradient(inputs);

    this.#updateGram(inputs, contraction, b, v, gradientRows);
    const column = workspace.matrix('vector', 1, d);
    // w̄ and ω are rows: wᵀ ← wᵀT − …
    gemm(weights.columnSum, contraction, column);
    copy(column, weights.columnSum);
    axpy(-learningRate * weights.classes, b, weights.columnSum);
    axpy(-learningRate, v, weights.columnSum);
    gemm(weights.shift, contraction, column);
    copy(column, weights.shift);
    axpy(-learningRate, b, weights.shift);
    gemm(weights.map, contraction, weights.spare('map'));
    weights.swap('map');
    weights.markUpdated();

    if (kind === 'singular') {
      updateRowsInFreshBasis(inputs, gradientRows);
      return;
    }
    weights.swap('inverse');
    const inBasis = workspace.matrix('gradient in basis', pairs.touched, d);
    gemm(gradientRows, weights.inverse, inBasis);
    scatterAddRows(inBasis, forward.slotClasses, weights.rows, { scale: -learningRate });
  }

  #updateGram(inputs: UpdateInputs, contraction: Matrix, b: Matrix, v: Matrix, gradientRows: Matrix): void {
    const { workspace, weights, forward, backward, learningRate } = inputs;
    const d = contraction.rows;
    const cross = workspace.matrix('Y', d, d);
    gemm(backward.sparsePart, forward.hidden, cross, { transposeA: true });
    gemm(weights.columnSum, b, cross, { transposeA: true, beta: 1 });

    const half = workspace.matrix('QT', d, d);
    const gram = weights.spare('gram');
    gemm(weights.gram, contraction, half);
    gemm(contraction, half, gram, { transposeA: true });
    symmetricRank2Update(contraction, cross, gram, { alpha: -learningRate, beta: 1 });
    // η²(D bbᵀ + bvᵀ + vbᵀ) = η²(bᵀ(v + Db/2) + (v + Db/2)ᵀb) for rows b, v.
    const betaPart = workspace.matrix('row beta part', 1, d);
    copy(v, betaPart);
    axpy(weights.classes / 2, b, betaPart);
    symmetricRank2Update(b, betaPart, gram, { alpha: learningRate * learningRate, beta: 1 });
    gemm(gradientRows, gradientRows, gram, { transposeA: true, alpha: learningRate * learningRate, beta: 1 });
    weights.swap('gram');
  }
}
