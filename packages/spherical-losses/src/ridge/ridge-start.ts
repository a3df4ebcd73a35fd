/**
 * The weights of a factored layer from the sums of a ridge fit, W = VU with U = (HᵀH + λI)⁻¹: as they are, or multiplied
 * out where U is ill-conditioned.
 */
import {
  copyColumns,
  createHostArray,
  gemm,
  symmetricRank2Update,
  write,
  type Matrix,
  type RowTable,
  type Workspace,
} from '@vastmax/linalg-core';
import type { FactoredWeights } from '../factored/factored-weights.ts';
import { BlockSums, centredGramOf } from './host-sums.ts';
import { rowsPerBlock, TableBlocks } from './table-blocks.ts';

/** V of a fit: D×features, and the column of the constant feature. */
export interface RidgeRows {
  readonly rows: RowTable;
  /** Undefined without the constant feature. */
  readonly counts: Float64Array | undefined;
}

/** The sums over all classes that follow from V. */
export interface TargetSums {
  /** VᵀV, d×d. */
  readonly gram: Float64Array;
  /** 1ᵀV, d. */
  readonly columnSum: Float64Array;
}

/** V, U and U⁻¹ as they are, and C = U(VᵀPV)U. @param map U. @param inverse U⁻¹. */
export function startFactored(
  workspace: Workspace,
  weights: FactoredWeights,
  { rows, counts }: RidgeRows,
  { gram, columnSum }: TargetSums,
  map: Float64Array,
  inverse: Float64Array,
): void {
  const { width } = weights;
  const blocks = new TableBlocks(workspace);
  blocks.each(rows, (block, first) => {
    if (counts === undefined) {
      blocks.put(block, first, weights.rows);
      return;
    }
    const column = countColumn(workspace, counts, first, block.rows);
    blocks.write(weights.rows, first, block.rows, (whole) => {
      copyColumns(block, 0, whole, 0, block.columns);
      copyColumns(column, 0, whole, block.columns, 1);
    });
  });
  write(map, weights.map);
  write(inverse, weights.inverse);
  const sums = workspace.matrix('target gram', width, width);
  const half = workspace.matrix('half gram', width, width);
  write(centredGramOf(gram, columnSum, rows.rows), sums);
  gemm(sums, weights.map, half, { alpha: 0.5 });
  symmetricRank2Update(weights.map, half, weights.centredGram);
  const sum = workspace.matrix('target sum', 1, width);
  write(columnSum, sum);
  gemm(sum, weights.map, weights.columnSum);
  weights.markUpdated();
}

/** W = VU, U = I. @param map U. */
export async function startMaterialized(
  workspace: Workspace,
  weights: FactoredWeights,
  { rows, counts }: RidgeRows,
  map: Float64Array,
): Promise<void> {
  const { width } = weights;
  const { rows: classes, columns: features, backend } = rows;
  const blocks = new TableBlocks(workspace);
  const sums = new BlockSums(workspace, width, createHostArray(backend, width * width));
  const factor = workspace.matrix('map', features, width);
  write(map.subarray(0, features * width), factor);
  const last = workspace.matrix('last row of the map', 1, width);
  if (counts !== undefined) write(map.subarray(features * width), last);
  for (let first = 0; first < classes; first += rowsPerBlock) {
    await blocks.use(rows, first, (block) => {
      const dense = workspace.matrix('dense block', block.rows, width);
      gemm(block, factor, dense);
      if (counts !== undefined) gemm(countColumn(workspace, counts, first, block.rows), last, dense, { beta: 1 });
      blocks.put(dense, first, weights.rows);
      return sums.add(dense);
    });
  }
  write(centredGramOf(sums.gram, sums.columnSum, classes), weights.centredGram);
  write(sums.columnSum, weights.columnSum);
}

function countColumn(workspace: Workspace, counts: Float64Array, first: number, count: number): Matrix {
  const column = workspace.matrix('counts', count, 1);
  write(counts.subarray(first, first + count), column);
  return column;
}
