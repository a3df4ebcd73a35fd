/**
 * The exact update W ← W − ηG H of W = VU + 1ωᵀ, in its two forms. Each is split at the one place where a host decision
 * is needed: `solve` forms the small system and its reciprocal condition, which says whether the new U has a usable
 * inverse; `apply` then changes the weights, with the inverse (`regular`) or without (`singular`).
 *
 * A singular step (1 − 2ηα‖h‖² ≈ 0 for one example) is harmless to dense SGD. Here U becomes singular, so V's rows
 * cannot carry the sparse part in the old basis: the generation is closed with the new map, the touched rows are
 * converted, and the sparse part is added in the fresh basis where U = I (mathematics.md §4). Exact, never skipped.
 */
import {
  affine,
  axpy,
  binary,
  copy,
  fill,
  scaleRows,
  scatterAddRows,
  scatterRows,
  gemm,
  type Indices,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { BackwardPass } from './backward-pass.ts';
import type { FactoredWeights } from './factored-weights.ts';
import { ofPairs, type ForwardPass } from './forward-pass.ts';
import type { UpdateForm } from './layer-options.ts';
import type { LossGradients } from './loss-evaluation.ts';
import type { TargetPairs } from './target-pairs.ts';

export interface UpdateInputs {
  readonly workspace: Workspace;
  readonly weights: FactoredWeights;
  readonly forward: ForwardPass;
  readonly gradients: LossGradients;
  readonly backward: BackwardPass;
  readonly pairs: TargetPairs;
  /** η. */
  readonly learningRate: number;
  /** diag(α) H, m×d. */
  readonly alphaHidden: Matrix;
  /** 1×1, receives the reciprocal condition of the small system. */
  readonly reciprocalCondition: Matrix;
}

/** The rows of V that a step touches, one for each class that is a target, wherever they came from. */
export interface TouchedRows {
  readonly classes: Int32Array;
  readonly count: number;
  /** The classes, as a backend's indices. */
  readonly indices: Indices;
  /** count×d, in the current generation. */
  readonly rows: Matrix;
  /** R, count×d. */
  readonly gradient: Matrix;
}

/**
 * What is added to a sum over the examples depends on no more than this; many machines add to a sum of their own first.
 */
export interface SumInputs<Sum extends 'columnSum' | 'shift'> extends Pick<
  UpdateInputs,
  'workspace' | 'forward' | 'gradients' | 'backward' | 'learningRate'
> {
  readonly weights: Pick<FactoredWeights, 'classes' | Sum>;
}

export interface ExactUpdate {
  readonly form: UpdateForm;
  /** @returns the small system, whose size the judgement of singularity needs beside its reciprocal condition. */
  solve(inputs: UpdateInputs): Matrix;
  apply(inputs: UpdateInputs, kind: 'regular' | 'singular'): void;
}

/** R = ΓᵀH, C×d: the gradient's row r_c = Σ_j γ_jc h_j for each touched class. */
export function touchedGradient({
  workspace,
  forward,
  gradients,
  pairs,
}: Pick<UpdateInputs, 'workspace' | 'forward' | 'gradients' | 'pairs'>): Matrix {
  const d = forward.hidden.columns;
  const byPair = workspace.matrix('gradient by pair', pairs.count, d);
  const rows = workspace.matrix('touched gradient', pairs.touched, d);
  scaleRows(ofPairs(workspace, pairs, forward.pairRows, 'hidden by pair', forward.hidden), gradients.gamma, byPair);
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

/** w̄ ← w̄ − ηHᵀ(Dβ + y), both forms: the deviations from the mean add up to nothing. */
export function updateColumnSum({
  workspace,
  weights,
  forward,
  gradients,
  backward,
  learningRate,
}: SumInputs<'columnSum'>): void {
  const factors = workspace.matrix('column sum factors', forward.hidden.rows, 1);
  copy(backward.gammaSum, factors);
  axpy(weights.classes, gradients.beta, factors);
  gemm(factors, forward.hidden, weights.columnSum, { transposeA: true, alpha: -learningRate, beta: 1 });
}

/**
 * ω ← ω − Hᵀ(a∘Hω + ηβ′), both forms, with the old Hω. β′ = β − 2αs/D is the factor of 1 in g = 2αo + β′1 + γ, where o
 * is not centred as it is in V·U.
 */
export function updateShift({
  workspace,
  weights,
  forward,
  gradients,
  learningRate,
}: Omit<SumInputs<'shift'>, 'backward'>): void {
  const factors = workspace.matrix('shift factors', forward.hidden.rows, 1);
  affine(forward.outputSum, -1 / weights.classes, 0, factors);
  axpy(1, forward.shiftOutputs, factors);
  binary('multiply', factors, gradients.alpha, factors);
  affine(factors, 2, 0, factors);
  axpy(1, gradients.beta, factors);
  gemm(factors, forward.hidden, weights.shift, { transposeA: true, alpha: -learningRate, beta: 1 });
}

/** U and ω are new already and U has no usable inverse: go on in a fresh basis. */
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
  weights.closeGeneration();
  scatterRows(converted, indices, weights.rows);
  weights.tagCurrent(classes, count);
}
