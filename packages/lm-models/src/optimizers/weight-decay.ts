/**
 * Decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101): w ← (1 − ηλ)·w beside the gradient's step, whatever
 * the rule. Of a table only the rows that a step touches decay, each once, so that the cost does not depend on the
 * table.
 */
import type { TableGradient } from '@vastmax/autodiff';
import { affine, gatherRows, scatterRows, type Matrix, type RowTable, type Workspace } from '@vastmax/linalg-core';
import type { DistinctIndices } from '@vastmax/sparse-data';

export function decayMatrix(value: Matrix, factor: number): void {
  affine(value, 1 - factor, 0, value);
}

/** @param name under which scratch is taken from the workspace. */
export function decayTouchedRows(
  name: string,
  table: RowTable,
  gradients: readonly TableGradient[],
  factor: number,
  workspace: Workspace,
  distinct: DistinctIndices,
): void {
  let count = 0;
  for (const { indices } of gradients) count += indices.count;
  if (count === 0) return;
  distinct.begin(count);
  for (const { indices } of gradients) for (let i = 0; i < indices.count; i++) distinct.slotOf(indices.values[i]!);
  const touched = workspace.indices(`${name} decayed rows`, distinct.values, distinct.count);
  const rows = workspace.matrix(`${name} decayed values`, distinct.count, table.columns);
  gatherRows(table, touched, rows);
  affine(rows, 1 - factor, 0, rows);
  scatterRows(rows, touched, table);
}
