/**
 * C = WᵀPW and w̄ = Wᵀ1 from the rows, in two passes by blocks: first the sum, then the products of what deviates from
 * the mean. Each block's part is computed on the backend, the sum over blocks in f64 on the host, because a plain f32
 * sum over many rows is far worse than the tracked value it would replace. O(D·d²).
 */
import { binary, fill, gemm, read, write, type Matrix, type Workspace } from '@vastmax/linalg-core';

export const rowsPerBlock = 1024;

export interface GramSums {
  /** C, d×d. */
  readonly centredGram: Float64Array;
  /** w̄, d. */
  readonly columnSum: Float64Array;
}

/**
 * @param denseRows puts rows `first` … of W into `out` (count×d).
 */
export async function computeGram(
  workspace: Workspace,
  classes: number,
  width: number,
  denseRows: (first: number, count: number, out: Matrix) => void,
): Promise<GramSums> {
  const blockRows = (first: number): Matrix => {
    const rows = workspace.matrix('gram rows', Math.min(rowsPerBlock, classes - first), width);
    denseRows(first, rows.rows, rows);
    return rows;
  };
  const columnSum = await sumOverBlocks(classes, workspace.matrix('block sum', 1, width), (first, out) => {
    const rows = blockRows(first);
    const ones = workspace.matrix('gram ones', 1, rows.rows);
    fill(1, ones);
    gemm(ones, rows, out);
  });
  const mean = workspace.matrix('gram mean', 1, width);
  write(
    columnSum.map((sum) => sum / classes),
    mean,
  );
  const centredGram = await sumOverBlocks(classes, workspace.matrix('block gram', width, width), (first, out) => {
    const rows = blockRows(first);
    binary('subtract', rows, mean, rows);
    gemm(rows, rows, out, { transposeA: true });
  });
  return { centredGram, columnSum };
}

/** Store the sums as the layer's C and w̄. */
export function storeGram(sums: GramSums, centredGram: Matrix, columnSum: Matrix): void {
  write(sums.centredGram, centredGram);
  write(sums.columnSum, columnSum);
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
