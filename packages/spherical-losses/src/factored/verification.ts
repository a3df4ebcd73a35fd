import { gemm, read, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { FactoredWeights } from './factored-weights.ts';
import { computeGram, type GramSums } from './gram-matrix.ts';
import { conditionOf } from './stability.ts';

/** How far the tracked quantities have drifted from the weights they describe. All relative, in the Frobenius norm. */
export interface Verification {
  /** ‖C − WᵀPW‖/‖WᵀPW‖ for the centred Gram matrix, P = I − 11ᵀ/D. */
  readonly gramDrift: number;
  /** ‖w̄ − Wᵀ1‖/max(‖Wᵀ1‖, ‖W‖): the rows' sum may cancel, then their size is the measure. */
  readonly columnSumDrift: number;
  /** ‖U·U⁻¹ − I‖/√d. */
  readonly inverseDrift: number;
  /** κ = ‖U‖·‖U⁻¹‖/d, 1 for the identity. */
  readonly condition: number;
  readonly generationsClosed: number;
}

/** Stream all rows once. O(D·d²), nothing is changed. */
export async function verifyWeights(workspace: Workspace, weights: FactoredWeights): Promise<Verification> {
  const { width, classes } = weights;
  const exact = await computeGram(workspace, classes, width, (first, count, out) =>
    weights.denseRows(first, count, out),
  );
  return compareWithExact(workspace, weights, exact, classes);
}

/**
 * What the weights keep of C and w̄, and U with U⁻¹, against the sums of all rows. O(d³).
 * @param classes D, of all rows that `exact` is of.
 */
export async function compareWithExact(
  workspace: Workspace,
  weights: FactoredWeights,
  exact: GramSums,
  classes: number,
): Promise<Verification> {
  const { width } = weights;
  const gram = await read(weights.centredGram);
  const columnSum = await read(weights.columnSum);
  // ‖W‖² = tr C + ‖w̄‖²/D.
  let trace = norm(exact.columnSum) ** 2 / classes;
  for (let i = 0; i < width; i++) trace += exact.centredGram[i * (width + 1)]!;

  const product = workspace.matrix('verification', width, width);
  gemm(weights.map, weights.inverse, product);
  const identity = await read(product);
  for (let i = 0; i < width; i++) identity[i * (width + 1)]! -= 1;
  return {
    gramDrift: distance(gram, exact.centredGram) / Math.max(norm(exact.centredGram), Number.MIN_VALUE),
    columnSumDrift:
      distance(columnSum, exact.columnSum) / Math.max(norm(exact.columnSum), Math.sqrt(trace), Number.MIN_VALUE),
    inverseDrift: norm(identity) / Math.sqrt(Math.max(1, width)),
    condition: conditionOf(await sumSquares(weights.map), await sumSquares(weights.inverse), width),
    generationsClosed: weights.ladder.current,
  };
}

async function sumSquares(matrix: Matrix): Promise<number> {
  return norm(await read(matrix)) ** 2;
}

function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}
