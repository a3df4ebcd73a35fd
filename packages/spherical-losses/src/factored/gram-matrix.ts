/**
 * Q = WᵀW and w̄ = Wᵀ1 from the rows, by blocks: each block's product on the backend, the sum over blocks in f64 on the host, because a
 * plain f32 sum over many rows is far worse than the tracked value it would replace. O(D·d²).
 */
import { fill, gemm, read, write, type Matrix, type Workspace } from '@vastmax/linalg-core';

export const rowsPerBlock = 1024;

export interface GramSums {
  /** d×d. */
  readonly gram: Float64Array;
  /** d. */
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
  const gram = new Float64Array(width * width);
  const columnSum = new Float64Array(width);
  const blockGram = workspace.matrix('block gram', width, width);
  const blockSum = workspace.matrix('block sum', 1, width);
  const gramValues = await read(blockGram);
  const sumValues = await read(blockSum);
  for (let first = 0; first < classes; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, classes - first);
    const rows = workspace.matrix('gram rows', count, width);
    const ones = workspace.matrix('gram ones', 1, count);
    fill(1, ones);
    denseRows(first, count, rows);
    gemm(rows, rows, blockGram, { transposeA: true });
    gemm(ones, rows, blockSum);
    await read(blockGram, gramValues);
    await read(blockSum, sumValues);
    for (let i = 0; i < gram.length; i++) gram[i]! += gramValues[i]!;
    for (let i = 0; i < width; i++) columnSum[i]! += sumValues[i]!;
  }
  return { gram, columnSum };
}

/** Store the sums as the layer's Q and w̄. */
export function storeGram(sums: GramSums, gram: Matrix, columnSum: Matrix): void {
  write(sums.gram, gram);
  write(sums.columnSum, columnSum);
}
