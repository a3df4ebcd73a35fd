/**
 * The update in row form (mathematics.md §3b). It has no m×m product, so it is cheapest when m ≥ d, and it can be
 * distributed, because it needs only a few sums over the examples. 14md² + 11d³ operations, and 4Kd² for the K touched
 * classes. P = I − 11ᵀ/D, Z_c = Z − y w̄ᵀ/D as in the m×m form:
 *
 *     E = −Hᵀ diag(2ηα) H    T = I + E    v = Hᵀy    R = ΓᵀH    N = RᵀR    Y = Z_cᵀH
 *     C ← TᵀCT − η(TᵀY + YᵀT) + η²(N − vvᵀ/D)
 *     w̄ ← w̄ − ηHᵀ(Dβ + y)    ω ← ω − Hᵀ(a∘Hω + η(β − 2αs/D))    U ← UT    U⁻¹ ← T⁻¹U⁻¹    V_c ← V_c − η r_c U_new⁻¹
 *
 * With a preconditioner, K = HP takes the place of H in the right factor of E, in v, R and Y, and of Hᵀ in the changes
 * of w̄ and ω; E is then not symmetric.
 *
 * U, U⁻¹ and C are changed by what is added to them, UT = U + UE, T⁻¹U⁻¹ = U⁻¹ − T⁻¹EU⁻¹ and TᵀCT = C + (I + E/2)ᵀCE +
 * (CE)ᵀ(I + E/2), not replaced by a product: a step then rounds them once, elimination in f32 is exact enough, and C
 * stays symmetric to the last bit.
 *
 * In one process a sum is added directly to its destination. Over ranks each computes the sums of its own examples
 * (`ownSum`), and the update continues with those of all ranks (`GlobalSums`).
 */
import {
  addDiagonal,
  affine,
  axpy,
  copy,
  fill,
  gemm,
  scatterRows,
  solve,
  symmetricRank2Update,
  type Matrix,
} from '@vastmax/linalg-core';
import {
  addColumnSumChange,
  addShiftChange,
  touchedRows,
  updateRowsInFreshBasis,
  type ExactUpdate,
  type SumName,
  type TouchedRows,
  type UpdateInputs,
} from './exact-update.ts';

/** Names of the matrices that hold the sums, and whether they are d×d. */
const sums: Readonly<Record<SumName, { readonly matrix: string; readonly isSquare: boolean }>> = {
  change: { matrix: 'E', isSquare: true },
  cross: { matrix: 'Y', isSquare: true },
  gram: { matrix: 'N', isSquare: true },
  gammaVector: { matrix: 'v', isSquare: false },
  columnSum: { matrix: 'column sum change', isSquare: false },
  shift: { matrix: 'shift change', isSquare: false },
};

function sumMatrix({ workspace, weights }: UpdateInputs, sum: SumName): Matrix {
  const { matrix, isSquare } = sums[sum];
  return workspace.matrix(matrix, isSquare ? weights.width : 1, weights.width);
}

/** A sum over this process's own examples, d×d or 1×d, in a matrix of the workspace. */
export function ownSum(sum: Exclude<SumName, 'gram'>, inputs: UpdateInputs): Matrix {
  const { rightFactor, backward, learningRate } = inputs;
  const out = sumMatrix(inputs, sum);
  if (sum === 'change') gemm(backward.alphaHidden, rightFactor, out, { transposeA: true, alpha: -2 * learningRate });
  else if (sum === 'cross') gemm(backward.centredSparse, rightFactor, out, { transposeA: true });
  else if (sum === 'gammaVector') gemm(backward.gammaSum, rightFactor, out, { transposeA: true });
  else {
    fill(0, out);
    if (sum === 'columnSum') addColumnSumChange(inputs, out);
    else addShiftChange(inputs, out);
  }
  return out;
}

/** N of the rows that this process stores. */
export function ownGram(inputs: UpdateInputs, { gradient }: TouchedRows): Matrix {
  const out = sumMatrix(inputs, 'gram');
  gemm(gradient, gradient, out, { transposeA: true });
  return out;
}

export class RowFormUpdate implements ExactUpdate {
  readonly form = 'row';

  /**
   * From E to T = I + E and to the change of U⁻¹, kept in the workspace for `apply`. Nothing that a layer reads has
   * changed.
   * @returns T. Its reciprocal condition determines whether the new U has a usable inverse.
   */
  solve(inputs: UpdateInputs, reciprocalCondition: Matrix): Matrix {
    const { workspace, weights } = inputs;
    const d = weights.width;
    const change = this.#total(inputs, 'change');
    const contraction = workspace.matrix('T', d, d);
    copy(change, contraction);
    addDiagonal(1, contraction);
    const spare = weights.spare('inverse');
    gemm(change, weights.inverse, spare);
    solve(contraction, spare, workspace.matrix('inverse correction', d, d), reciprocalCondition);
    // The spare matrices hold the old values until `apply` adds to them, so they may be swapped in whether `apply`
    // takes effect or not.
    copy(weights.inverse, spare);
    copy(weights.map, weights.spare('map'));
    return contraction;
  }

  apply(inputs: UpdateInputs, kind: 'regular' | 'singular'): void {
    const { weights, classes, learningRate, globalSums } = inputs;
    const { centredGram } = weights;
    const touched = globalSums?.touched ?? touchedRows(inputs);
    this.#updateGram(inputs);
    // N and v.
    if (globalSums === undefined)
      gemm(touched.gradient, touched.gradient, centredGram, { transposeA: true, alpha: learningRate ** 2, beta: 1 });
    else axpy(learningRate ** 2, globalSums.take('gram', sumMatrix(inputs, 'gram')), centredGram);
    const v = this.#total(inputs, 'gammaVector');
    gemm(v, v, centredGram, { transposeA: true, alpha: -(learningRate ** 2) / classes, beta: 1 });
    if (globalSums === undefined) {
      addColumnSumChange(inputs, weights.columnSum);
      addShiftChange(inputs, weights.shift);
    } else {
      axpy(1, globalSums.take('columnSum', sumMatrix(inputs, 'columnSum')), weights.columnSum);
      axpy(1, globalSums.take('shift', sumMatrix(inputs, 'shift')), weights.shift);
    }
    this.#updateMapAndRows(inputs, touched, kind);
  }

  /** A sum over the examples of all ranks. */
  #total(inputs: UpdateInputs, sum: 'change' | 'cross' | 'gammaVector'): Matrix {
    return inputs.globalSums?.take(sum, sumMatrix(inputs, sum)) ?? ownSum(sum, inputs);
  }

  /** C ← TᵀCT − η(TᵀY + YᵀT), after `solve`; N and v are for the caller to add. */
  #updateGram(inputs: UpdateInputs): void {
    const { workspace, weights, learningRate } = inputs;
    const { centredGram, width: d } = weights;
    const cross = this.#total(inputs, 'cross');
    const change = workspace.matrix('E', d, d);
    const product = workspace.matrix('CE', d, d);
    gemm(centredGram, change, product);
    const half = workspace.matrix('I + E/2', d, d);
    affine(change, 0.5, 0, half);
    addDiagonal(1, half);
    symmetricRank2Update(half, product, centredGram, { beta: 1 });
    symmetricRank2Update(workspace.matrix('T', d, d), cross, centredGram, { alpha: -learningRate, beta: 1 });
  }

  /** Updates U, U⁻¹ and the touched rows of V; C, w̄ and ω are new already. */
  #updateMapAndRows(inputs: UpdateInputs, touched: TouchedRows, kind: 'regular' | 'singular'): void {
    const { workspace, weights, learningRate } = inputs;
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
}
