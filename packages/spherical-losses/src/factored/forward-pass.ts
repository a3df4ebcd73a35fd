/**
 * The part of a minibatch that training and evaluation share (arXiv:1606.08061 §4), with the centred Gram matrix
 * (factored-weights.ts).
 *
 *     hidden H, m×d     product H C     r = rowDot(H, H C) = Σ(o − μ)²     s = H w̄ = Σo     projected H̃ = H Uᵀ     outputs o_jc
 *
 * The outputs are V_c · H̃_j + ω · h_j (2md²), or w_c · h_j with the touched classes' own weights w_c = V_c U + ω (2Cd²
 * for C of them), of which the backward pass then makes its sparse part without another product. The second is taken
 * while C ≤ m: always with one target an example.
 */
import { binary, gatherRows, gemm, rowDot, type Indices, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { FactoredWeights } from './factored-weights.ts';
import type { TargetPairs } from './target-pairs.ts';

/** What the pass asks of the weights; a layer whose rows are elsewhere brings its own `refresh` and `gatherCurrent`. */
export type ForwardWeights = Pick<
  FactoredWeights,
  'map' | 'shift' | 'centredGram' | 'columnSum' | 'refresh' | 'gatherCurrent'
>;

export interface ForwardPass {
  readonly hidden: Matrix;
  /** H C, m×d. */
  readonly product: Matrix;
  /** r, m×1. */
  readonly squaredDeviations: Matrix;
  /** s, m×1. */
  readonly outputSum: Matrix;
  /** H̃, m×d, when the outputs came from it. */
  readonly projected: Matrix | undefined;
  /** H ω, m×1. */
  readonly shiftOutputs: Matrix;
  /** C×d rows of V, one for each slot, in the current generation. */
  readonly touchedRows: Matrix;
  /** P×d, for each pair the row of its class: of W, or of V when there is `projected`. */
  readonly pairClassRows: Matrix;
  /** P×1. */
  readonly outputs: Matrix;
  /** Example of each pair, slot of each pair, class of each slot. */
  readonly pairRows: Indices;
  readonly pairSlots: Indices;
  readonly slotClasses: Indices;
}

/**
 * @param store whether rows that had to be converted are stored back as converted (training) or not (evaluation, which
 * changes nothing).
 */
export function forwardPass(
  workspace: Workspace,
  weights: ForwardWeights,
  hidden: Matrix,
  pairs: TargetPairs,
  store: boolean,
): ForwardPass {
  const m = hidden.rows;
  const d = hidden.columns;
  const slotClasses = workspace.indices('slot classes', pairs.classes, pairs.touched);
  const pairRows = workspace.indices('pair rows', pairs.rows, pairs.count);
  const pairSlots = workspace.indices('pair slots', pairs.slots, pairs.count);

  const touchedRows = workspace.matrix('touched rows', pairs.touched, d);
  if (store) weights.refresh(pairs.classes, pairs.touched, slotClasses, touchedRows);
  else weights.gatherCurrent(pairs.classes, pairs.touched, slotClasses, touchedRows);

  const product = workspace.matrix('product', m, d);
  const squaredDeviations = workspace.matrix('squared deviations', m, 1);
  const outputSum = workspace.matrix('output sum', m, 1);
  const shiftOutputs = workspace.matrix('shift outputs', m, 1);
  gemm(hidden, weights.centredGram, product);
  rowDot(hidden, product, squaredDeviations);
  gemm(hidden, weights.columnSum, outputSum, { transposeB: true });
  gemm(hidden, weights.shift, shiftOutputs, { transposeB: true });

  let projected: Matrix | undefined;
  let classRows = touchedRows;
  if (pairs.touched <= m) {
    classRows = workspace.matrix('touched weights', pairs.touched, d);
    gemm(touchedRows, weights.map, classRows);
    binary('add', classRows, weights.shift, classRows);
  } else {
    projected = project(workspace, hidden, weights);
  }
  // A row for each pair; the slots are in order of first appearance.
  let pairClassRows = classRows;
  if (pairs.touched !== pairs.count) {
    pairClassRows = workspace.matrix('pair class rows', pairs.count, d);
    gatherRows(classRows, pairSlots, pairClassRows);
  }
  const outputs = workspace.matrix('outputs', pairs.count, 1);
  rowDot(pairClassRows, ofPairs(workspace, pairs, pairRows, 'pair side', projected ?? hidden), outputs);
  if (projected !== undefined)
    binary('add', outputs, ofPairs(workspace, pairs, pairRows, 'pair shift', shiftOutputs), outputs);
  return {
    hidden,
    product,
    squaredDeviations,
    outputSum,
    projected,
    shiftOutputs,
    touchedRows,
    pairClassRows,
    outputs,
    pairRows,
    pairSlots,
    slotClasses,
  };
}

/** H̃ = H Uᵀ, m×d. */
export function project(workspace: Workspace, hidden: Matrix, weights: Pick<FactoredWeights, 'map'>): Matrix {
  const projected = workspace.matrix('projected', hidden.rows, hidden.columns);
  gemm(hidden, weights.map, projected, { transposeB: true });
  return projected;
}

/** Row j of `ofExamples` for each pair of example j: itself when every example has one pair. */
export function ofPairs(
  workspace: Workspace,
  pairs: TargetPairs,
  pairRows: Indices,
  name: string,
  ofExamples: Matrix,
): Matrix {
  if (pairs.isOneEach) return ofExamples;
  const out = workspace.matrix(name, pairs.count, ofExamples.columns);
  gatherRows(ofExamples, pairRows, out);
  return out;
}
