/**
 * Computes C = WᵀPW and w̄ = Wᵀ1 from the rows, in two passes over blocks: first the sum, then the products of the
 * deviations from the mean. The backend computes the part of each block; the host sums over blocks in f64, because a
 * plain f32 sum over many rows is far less accurate than the tracked value it would replace. O(D·d²). Also computes how
 * far the tracked values have drifted from these.
 */
import {
  binary,
  copyColumns,
  fill,
  gemm,
  read,
  viewRows,
  write,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { FactoredWeights } from './factored-weights.ts';
import { conditionOf } from './rebase-schedule.ts';

/** Columns that the kernels of products compute at a time, or several of them. */
const columnsOfTile = 16;

/** How many rows of a table are read at a time. */
export const rowsPerBlock = 1024;

/** Sums over all rows, in f64, from which the centred Gram matrix and the mean follow. */
export interface GramSums {
  /** C, d×d. */
  readonly centredGram: Float64Array;
  /** w̄, d. */
  readonly columnSum: Float64Array;
}

/** The sums of the rows that this process stores. */
export async function computeGram(workspace: Workspace, weights: FactoredWeights): Promise<GramSums> {
  const { classes, width } = weights;
  const countFrom = (first: number): number => Math.min(rowsPerBlock, classes - first);
  /** Calls `use` with W of a block: the rows where they are if they are W, else a copy. */
  const withRows = (first: number, use: (rows: Matrix) => void): void => {
    using view = weights.isMaterialized ? viewRows(weights.rows, first, countFrom(first)) : undefined;
    if (view !== undefined) {
      use(view);
      return;
    }
    const rows = workspace.matrix('gram rows', countFrom(first), width);
    weights.denseRows(first, rows.rows, rows);
    use(rows);
  };
  const columnSum = await sumOverBlocks(classes, workspace.matrix('block sum', 1, width), (first, out) => {
    const ones = workspace.matrix('gram ones', 1, countFrom(first));
    fill(1, ones);
    withRows(first, (rows) => {
      gemm(ones, rows, out);
    });
  });
  const mean = workspace.matrix('gram mean', 1, width);
  write(
    columnSum.map((sum) => sum / classes),
    mean,
  );
  const centredGram = await sumOverBlocks(classes, workspace.matrix('block gram', width, width), (first, out) => {
    const deviations = workspace.matrix('gram deviations', countFrom(first), width);
    withRows(first, (rows) => {
      binary('subtract', rows, mean, deviations);
    });
    gemm(deviations, deviations, out, { transposeA: true });
  });
  return { centredGram, columnSum };
}

/** Stores the sums as the layer's C and w̄. */
export function storeGram(sums: GramSums, centredGram: Matrix, columnSum: Matrix): void {
  write(sums.centredGram, centredGram);
  write(sums.columnSum, columnSum);
}

/** Recomputes C and w̄ from the rows of one process. */
export async function rebuildGram(workspace: Workspace, weights: FactoredWeights): Promise<void> {
  storeGram(await computeGram(workspace, weights), weights.centredGram, weights.columnSum);
}

/**
 * The same while the rows are made, in one pass, so that each block is still in the cache: for rows of a random start,
 * whose mean is so small beside them that nothing is lost by subtracting its square from C at the end.
 * @param fillBlock makes rows `first` ….
 */
export async function buildGram(
  workspace: Workspace,
  weights: FactoredWeights,
  fillBlock: (first: number, count: number) => void,
): Promise<void> {
  const { classes, width, rows: table } = weights;
  const columnSum = new Float64Array(width);
  const centredGram = new Float64Array(width * width);
  const panel = columnsOfTile * Math.max(4, Math.ceil(width / (4 * columnsOfTile)));
  for (let first = 0; first < classes; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, classes - first);
    fillBlock(first, count);
    using view = viewRows(table, first, count);
    const rows = view ?? workspace.matrix('gram rows', count, width);
    if (view === undefined) weights.denseRows(first, count, rows);
    const ones = workspace.matrix('gram ones', 1, count);
    const sum = workspace.matrix('block sum', 1, width);
    fill(1, ones);
    gemm(ones, rows, sum);
    const sums = await read(sum);
    for (let i = 0; i < width; i++) columnSum[i]! += sums[i]!;
    // The products of the columns of each panel with those from there on: the others are the same, by symmetry.
    for (let from = 0; from < width; from += panel) {
      const own = workspace.matrix('gram panel', count, Math.min(panel, width - from));
      const others = from === 0 ? rows : workspace.matrix('gram other columns', count, width - from);
      copyColumns(rows, from, own, 0, own.columns);
      if (from > 0) copyColumns(rows, from, others, 0, others.columns);
      const part = workspace.matrix('block gram', own.columns, others.columns);
      gemm(own, others, part, { transposeA: true });
      const products = await read(part);
      for (let i = 0, at = 0; i < own.columns; i++)
        for (let j = from; j < width; j++, at++) centredGram[(from + i) * width + j]! += products[at]!;
    }
  }
  for (let i = 0; i < width; i++) {
    for (let j = i; j < width; j++) {
      const centred = centredGram[i * width + j]! - (columnSum[i]! * columnSum[j]!) / classes;
      centredGram[i * width + j] = centred;
      centredGram[j * width + i] = centred;
    }
  }
  storeGram({ centredGram, columnSum }, weights.centredGram, weights.columnSum);
}

async function sumOverBlocks(
  classes: number,
  part: Matrix,
  computePart: (first: number, out: Matrix) => void,
): Promise<Float64Array> {
  const total = new Float64Array(part.rows * part.columns);
  const values = await read(part);
  for (let first = 0; first < classes; first += rowsPerBlock) {
    computePart(first, part);
    await read(part, values);
    for (let i = 0; i < total.length; i++) total[i]! += values[i]!;
  }
  return total;
}

/** How far the tracked quantities have drifted from the weights they describe. All relative, in the Frobenius norm. */
export interface Verification {
  /** ‖C − WᵀPW‖/‖WᵀPW‖ for the centred Gram matrix, P = I − 11ᵀ/D. */
  readonly gramDrift: number;
  /** ‖w̄ − Wᵀ1‖/max(‖Wᵀ1‖, ‖W‖): the sum of the rows may cancel, then it is relative to their size. */
  readonly columnSumDrift: number;
  /** ‖U·U⁻¹ − I‖/√d. */
  readonly inverseDrift: number;
  /** κ = ‖U‖·‖U⁻¹‖/d, 1 for the identity. */
  readonly condition: number;
  /** How often the layer has been rebased. */
  readonly rebases: number;
}

/** Reads all rows once. O(D·d²); changes nothing. */
export async function verifyWeights(workspace: Workspace, weights: FactoredWeights): Promise<Verification> {
  return compareWithExact(workspace, weights, await computeGram(workspace, weights), weights.classes);
}

/**
 * Compares C, w̄ and U with U⁻¹ as stored in the weights with the sums of all rows. O(d³).
 * @param classes D, the number of rows in the sums `exact`.
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
    rebases: weights.transforms.epoch,
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
