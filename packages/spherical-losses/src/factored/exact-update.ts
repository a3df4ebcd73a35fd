/**
 * The exact update W ← W − ηG H of W = VU + 1ωᵀ, in its two forms: the m×m form here, the row form in row-form.ts.
 * Each has two parts, separated by the one decision of the host: `solve` computes the small system and its reciprocal
 * condition, which determines whether the new U has a usable inverse; `apply` then changes the weights, with the
 * inverse (`regular`) or without it (`singular`).
 *
 * A singular step (1 − 2ηα‖h‖² ≈ 0 for one example) is harmless to dense SGD. Here U becomes singular, so V's rows
 * cannot carry the sparse part in the old basis: the weights are rebased with the new map, the touched rows are
 * converted, and the sparse part is added in the fresh basis where U = I (mathematics.md §4). Exact, never skipped.
 *
 * The m×m form (arXiv:1606.08061 §5, with Woodbury's identity for the minibatch) is the cheapest while m < d: 14md²
 * + 8m²d + ⅔m³ operations. With a = 2ηα, and P = I − 11ᵀ/D for the centred parts:
 *
 *     F = H U⁻¹    (I − H Hᵀ diag(a)) F̃ = F    U ← U − H̃ᵀ diag(a) H    U⁻¹ ← U⁻¹ + Hᵀ diag(a) F̃    V_c ← V_c − η γ_jc F̃_j
 *     M = (PG)ᵀPG = R + Rᵀ + ΓΓᵀ − yyᵀ/D,  R = diag(2α) H (Z_c + diag(α) H C)ᵀ  with Z_c = Z − y w̄ᵀ/D
 *     B = η(2 diag(α) H C + Z_c) − (η²/2) M H        C ← C − BᵀH − HᵀB
 *     ω ← ω − Hᵀ(a∘Hω + η(β − 2αs/D))        w̄ ← w̄ − ηHᵀ(Dβ + y)
 *
 * With a preconditioner P (preconditioner.ts) the update is W ← W − ηGᵀK with K = HP, and K takes the place of H where
 * it is the right factor of the gradient: in F and H Hᵀ (K U⁻¹ and K Hᵀ), the last factor of U's change, M H, BᵀH, and Hᵀ
 * in the changes of ω and w̄. U⁻¹'s change, M and ∇H keep H (mathematics.md §3c).
 */
import {
  addDiagonal,
  affine,
  axpy,
  binary,
  copy,
  fill,
  gatherRows,
  gemm,
  scaleRows,
  scatterAddRows,
  scatterRows,
  solve,
  symmetricRank2Update,
  unary,
  type Indices,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { BackwardPass, LossGradients, LossInputs } from './backward-pass.ts';
import type { FactoredWeights } from './factored-weights.ts';
import { ofPairs, project } from './forward-pass.ts';
import type { UpdateForm } from './layer-options.ts';

/** Everything that the exact update of a step reads. */
export interface UpdateInputs extends LossInputs {
  readonly workspace: Workspace;
  readonly weights: FactoredWeights;
  readonly gradients: LossGradients;
  readonly backward: BackwardPass;
  /** K, m×d, the right factor of the update: HP with a preconditioner, else H itself. */
  readonly rightFactor: Matrix;
  /** η. */
  readonly learningRate: number;
  /**
   * Over ranks, the sums over the examples of all ranks; undefined in one process, where the local sums are complete.
   */
  readonly globalSums: GlobalSums | undefined;
}

/** The rows of V that a step touches, one for each class that is a target, whether stored here or fetched. */
export interface TouchedRows {
  readonly classes: Int32Array;
  readonly count: number;
  /** The classes, as a backend's indices. */
  readonly indices: Indices;
  /** count×d, in the current rebase epoch. */
  readonly rows: Matrix;
  /** R, count×d. */
  readonly gradient: Matrix;
}

/**
 * The sums over the examples that the row form needs, d×d or 1×d: E, Y, v, and the changes of w̄ and ω; and `gram`, N =
 * RᵀR, over the touched classes (row-form.ts).
 */
export type SumName = 'change' | 'cross' | 'gram' | 'gammaVector' | 'columnSum' | 'shift';

/** The sums over the examples of all ranks together. */
export interface GlobalSums {
  /** The rows of V kept by this rank that the examples of any rank touch. */
  readonly touched: TouchedRows;
  /** Writes a sum to `out`. @returns out. */
  take(sum: SumName, out: Matrix): Matrix;
}

/**
 * The form with fewer operations for m examples and `touched` classes; operations that both forms need are not counted.
 */
export function cheaperForm(m: number, d: number, touched: number): UpdateForm {
  return 8 * m * m * d + (2 / 3) * m ** 3 <= 11 * d ** 3 + 4 * touched * d * d ? 'small-batch' : 'row';
}

export interface ExactUpdate {
  readonly form: UpdateForm;
  /**
   * @param reciprocalCondition 1×1, receives that of the small system.
   * @returns the small system, whose size the test of singularity needs as well.
   */
  solve(inputs: UpdateInputs, reciprocalCondition: Matrix): Matrix;
  apply(inputs: UpdateInputs, kind: 'regular' | 'singular'): void;
}

/** R = ΓᵀK, C×d: the gradient's row r_c = Σ_j γ_jc k_j for each touched class. */
export function touchedGradient({ workspace, forward, gradients, pairs, rightFactor }: UpdateInputs): Matrix {
  const d = rightFactor.columns;
  const byPair = workspace.matrix('gradient by pair', pairs.count, d);
  const rows = workspace.matrix('touched gradient', pairs.touched, d);
  scaleRows(ofPairs(workspace, pairs, forward.pairRows, 'right factor by pair', rightFactor), gradients.gamma, byPair);
  fill(0, rows);
  scatterAddRows(byPair, forward.pairSlots, rows);
  return rows;
}

export function touchedRows(inputs: UpdateInputs): TouchedRows {
  const { pairs, forward } = inputs;
  return {
    classes: pairs.classes,
    count: pairs.touched,
    indices: forward.slotClasses,
    rows: forward.touchedRows,
    gradient: touchedGradient(inputs),
  };
}

/** Adds −ηKᵀ(Dβ + y), the change of w̄ in both forms: the deviations from the mean sum to zero. */
export function addColumnSumChange(inputs: UpdateInputs, out: Matrix): void {
  const { workspace, classes, rightFactor, gradients, backward, learningRate } = inputs;
  const factors = workspace.matrix('column sum factors', rightFactor.rows, 1);
  copy(backward.gammaSum, factors);
  axpy(classes, gradients.beta, factors);
  gemm(factors, rightFactor, out, { transposeA: true, alpha: -learningRate, beta: 1 });
}

/**
 * Adds −Kᵀ(a∘Hω + ηβ′), the change of ω in both forms, with the old Hω. β′ = β − 2αs/D is the factor of 1 in g = 2αo +
 * β′1 + γ, where o is not centred, as in V·U.
 */
export function addShiftChange(inputs: UpdateInputs, out: Matrix): void {
  const { workspace, classes, forward, rightFactor, gradients, learningRate } = inputs;
  const factors = workspace.matrix('shift factors', rightFactor.rows, 1);
  affine(forward.outputSum, -1 / classes, 0, factors);
  axpy(1, forward.shiftOutputs, factors);
  binary('multiply', factors, gradients.alpha, factors);
  affine(factors, 2, 0, factors);
  axpy(1, gradients.beta, factors);
  gemm(factors, rightFactor, out, { transposeA: true, alpha: -learningRate, beta: 1 });
}

/** To be called when U and ω are new and U has no usable inverse: continues in a fresh basis. */
export function updateRowsInFreshBasis(
  workspace: Workspace,
  weights: FactoredWeights,
  { classes, count, indices, rows, gradient }: TouchedRows,
  learningRate: number,
): void {
  const converted = workspace.matrix('singular rows', count, weights.width);
  gemm(rows, weights.map, converted);
  binary('add', converted, weights.shift, converted);
  axpy(-learningRate, gradient, converted);
  weights.rebase();
  scatterRows(converted, indices, weights.rows);
  weights.tagCurrent(classes, count);
}

export class SmallBatchUpdate implements ExactUpdate {
  readonly form = 'small-batch';

  solve(inputs: UpdateInputs, reciprocalCondition: Matrix): Matrix {
    const { workspace, weights, forward, rightFactor, gradients, learningRate } = inputs;
    const { hidden } = forward;
    const system = workspace.matrix('small system', hidden.rows, hidden.rows);
    // −2η KHᵀ diag(α): symmetric until its columns are scaled.
    symmetricRank2Update(rightFactor, hidden, system, { transpose: true, alpha: -learningRate });
    binary('multiply', system, gradients.alpha.resize(1, hidden.rows), system);
    gradients.alpha.resize(hidden.rows, 1);
    addDiagonal(1, system);
    const before = workspace.matrix('F', hidden.rows, hidden.columns);
    gemm(rightFactor, weights.inverse, before);
    solve(system, before, workspace.matrix('F new', hidden.rows, hidden.columns), reciprocalCondition);
    return system;
  }

  apply(inputs: UpdateInputs, kind: 'regular' | 'singular'): void {
    const { workspace, weights, forward, rightFactor, gradients, backward, pairs, learningRate } = inputs;
    const { hidden } = forward;
    const { alphaHidden } = backward;
    let alphaRight = alphaHidden;
    if (rightFactor !== hidden) {
      alphaRight = workspace.matrix('alpha right factor', hidden.rows, hidden.columns);
      scaleRows(rightFactor, gradients.alpha, alphaRight);
    }
    this.#updateGram(inputs);
    addColumnSumChange(inputs, weights.columnSum);
    addShiftChange(inputs, weights.shift);
    // Updates U, with the old H̃.
    gemm(forward.projected ?? project(workspace, hidden, weights), alphaRight, weights.map, {
      transposeA: true,
      alpha: -2 * learningRate,
      beta: 1,
    });
    weights.markUpdated();

    if (kind === 'singular') {
      updateRowsInFreshBasis(workspace, weights, touchedRows(inputs), learningRate);
      return;
    }
    const after = workspace.matrix('F new', hidden.rows, hidden.columns);
    gemm(alphaHidden, after, weights.inverse, { transposeA: true, alpha: 2 * learningRate, beta: 1 });
    const byPair = workspace.matrix('gradient by pair', pairs.count, hidden.columns);
    scaleRows(ofPairs(workspace, pairs, forward.pairRows, 'F new by pair', after), gradients.gamma, byPair);
    // The rows are available from the forward pass; storing them is a copy, while adding to the table would read them
    // again.
    scatterAddRows(byPair, forward.pairSlots, forward.touchedRows, { scale: -learningRate });
    scatterRows(forward.touchedRows, forward.slotClasses, weights.rows);
  }

  #updateGram(inputs: UpdateInputs): void {
    const { workspace, weights, classes, rightFactor, backward, learningRate } = inputs;
    const m = rightFactor.rows;
    const inner = workspace.matrix('gradient gram', m, m);
    // R + Rᵀ.
    symmetricRank2Update(backward.alphaHidden, backward.halfGradient, inner, { transpose: true, alpha: 2 });
    gemm(backward.gammaSum, backward.gammaSum, inner, { transposeB: true, alpha: -1 / classes, beta: 1 });
    this.#addGammaGram(inputs, inner);

    // B is stored in the matrix of the centred gradient.
    const change = backward.centredGradient;
    gemm(inner, rightFactor, change, { alpha: (-learningRate * learningRate) / 2, beta: learningRate });
    symmetricRank2Update(change, rightFactor, weights.centredGram, { alpha: -1, beta: 1 });
  }

  /** inner += ΓΓᵀ, from the pairs that share a class: Σ_c n_c² products instead of 2m²C. */
  #addGammaGram({ workspace, gradients, pairs }: UpdateInputs, inner: Matrix): void {
    const m = inner.rows;
    const products = pairs.listProducts();
    if (products === 0) return;
    const first = workspace.matrix('gamma first', products, 1);
    // No class occurs twice: each pair is multiplied with itself, in order.
    if (products === pairs.count) unary('square', gradients.gamma, first);
    else {
      const second = workspace.matrix('gamma second', products, 1);
      gatherRows(gradients.gamma, workspace.indices('pair first', pairs.productFirst, products), first);
      gatherRows(gradients.gamma, workspace.indices('pair second', pairs.productSecond, products), second);
      binary('multiply', first, second, first);
    }
    scatterAddRows(first, workspace.indices('pair place', pairs.productPlace, products), inner.resize(m * m, 1));
    inner.resize(m, m);
  }
}
