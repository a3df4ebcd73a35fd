/**
 * Sizes that chance decides: how many distinct classes a step has drawn, how many hits. Room is made for the most there
 * can be, or a training loop would go on creating handles whenever a step has a few more than any before.
 */
import type { Indices, Matrix, Workspace } from '@vastmax/linalg-core';

/** rows×columns in a matrix with room for most.rows×most.columns. */
export function matrixWithCapacity(
  workspace: Workspace,
  name: string,
  rows: number,
  columns: number,
  most: { readonly rows?: number; readonly columns?: number },
): Matrix {
  return workspace
    .matrix(name, Math.max(rows, most.rows ?? 0), Math.max(columns, most.columns ?? 0))
    .resize(rows, columns);
}

/** The first `count` of `values` in a list with room for `most`. */
export function roomyIndices(
  workspace: Workspace,
  name: string,
  values: Int32Array,
  count: number,
  most: number,
): Indices {
  if (count < most && values.length >= most) workspace.indices(name, values, most);
  return workspace.indices(name, values, count);
}
