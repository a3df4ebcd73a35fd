/**
 * Matrices and index lists whose size is random, such as the number of distinct classes that a step draws. They are
 * created at the largest size possible, so that a later, larger step creates no new handle.
 */
import type { Indices, Matrix, Workspace } from '@vastmax/linalg-core';

/** rows×columns in a matrix created with capacity.rows×capacity.columns. */
export function matrixWithCapacity(
  workspace: Workspace,
  name: string,
  rows: number,
  columns: number,
  capacity: { readonly rows?: number; readonly columns?: number },
): Matrix {
  return workspace
    .matrix(name, Math.max(rows, capacity.rows ?? 0), Math.max(columns, capacity.columns ?? 0))
    .resize(rows, columns);
}

/** The first `count` of `values` in a list created with `capacity` entries. */
export function indicesWithCapacity(
  workspace: Workspace,
  name: string,
  values: Int32Array,
  count: number,
  capacity: number,
): Indices {
  if (count < capacity && values.length >= capacity) workspace.indices(name, values, capacity);
  return workspace.indices(name, values, count);
}
