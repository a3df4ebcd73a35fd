/**
 * Regularised least squares over many lists of rows of one table, such as the users of implicit feedback over their
 * items. A backend may solve all lists at once where the rows are; where it has no kernel for it, each is a sequence of
 * products and one small system.
 */
import type { Indices, Matrix, RowTable } from './backend.ts';
import { LinalgError } from './errors.ts';
import {
  addDiagonal,
  axpy,
  binary,
  fill,
  gatherRows,
  gemm,
  scaleRows,
  scatterRows,
  solve,
  unary,
} from './operations.ts';
import { checkAlive, checkIndices, checkNotAliased, checkOperand, checkShape, type Workspace } from './storage.ts';

/** Rows of a table by lists: those of list i are indices_e for e from offsets_i to offsets_(i+1) − 1. */
export interface RowLists {
  /** One more than there are lists, ascending from 0. */
  readonly offsets: Indices;
  readonly indices: Indices;
  /** E×1, positive; all 1 where there are none. */
  readonly weights?: Matrix | undefined;
}

/** B_i = diag(base + shifts_i). */
export interface RowPenalties {
  /** 1×columns. */
  readonly base: Matrix;
  /** One for each list; base + shift must be positive. */
  readonly shifts: Matrix;
}

/**
 * out_i = argmin_x Σ_e weights_e·(table[indices_e]·x − 1)² + xᵀB_i x over the entries e of list i, 0 for an empty list.
 * The system that is solved has as many unknowns as the list has rows: with V the rows and w their weights,
 * (VB⁻¹Vᵀ + diag(1/w)) c = 1 and x = B⁻¹Vᵀc. O(n²·columns + n³) for a list of n rows: meant for n up to some columns.
 * @param out lists×columns.
 * @param workspace for scratch, where the backend has no kernel for this.
 * @throws LinalgError `shape` when counts or widths differ or offsets do not ascend from 0 to the number of indices,
 * `index-out-of-range`, `aliasing`.
 */
export function leastSquaresRows(
  table: RowTable,
  lists: RowLists,
  penalties: RowPenalties,
  out: Matrix,
  workspace: Workspace,
): void {
  const operation = 'leastSquaresRows';
  const { offsets, indices, weights } = lists;
  const { base, shifts } = penalties;
  const { backend } = out;
  checkAlive(operation, 'out', out);
  for (const [role, handle] of Object.entries({ table, offsets, indices, weights, base, shifts })) {
    if (handle !== undefined) checkOperand(operation, role, handle, backend);
  }
  for (const [role, handle] of Object.entries({ weights, base, shifts })) {
    if (handle !== undefined) checkNotAliased(operation, role, handle, out);
  }
  checkIndices(operation, indices, table.rows, 'the table');
  checkOffsets(operation, offsets, indices.count);
  const count = offsets.count - 1;
  checkShape(operation, 'out', out, count, table.columns);
  checkShape(operation, 'base', base, 1, table.columns);
  checkShape(operation, 'shifts', shifts, count, 1);
  if (weights !== undefined) checkShape(operation, 'weights', weights, indices.count, 1);
  if (backend.leastSquaresRows?.(table, offsets, indices, weights, base, shifts, out) === true) return;
  fill(0, out);
  for (let list = 0; list < count; list++) solveList(table, lists, penalties, list, out, workspace);
}

function checkOffsets(operation: string, { values, count }: Indices, entries: number): void {
  if (count === 0) throw new LinalgError('shape', `${operation}: no offsets; there is one more than there are lists`);
  for (let i = 0; i < count; i++) {
    const least = i === 0 ? 0 : values[i - 1]!;
    const fits = i === 0 ? values[0] === 0 : values[i]! >= least && (i < count - 1 || values[i] === entries);
    if (fits && (count > 1 || entries === 0)) continue;
    throw new LinalgError(
      'shape',
      `${operation}: offset ${i} of ${count} is ${values[i]!}; offsets must ascend from 0 to ${entries}, the number of indices`,
    );
  }
}

function solveList(
  table: RowTable,
  { offsets, indices, weights }: RowLists,
  { base, shifts }: RowPenalties,
  list: number,
  out: Matrix,
  workspace: Workspace,
): void {
  const first = offsets.values[list]!;
  const end = offsets.values[list + 1]!;
  const n = end - first;
  if (n === 0) return;
  const { columns } = table;
  const name = (part: string): string => `least squares ${part}`;
  const own = workspace.indices(name('list'), Int32Array.of(list));
  const shift = workspace.matrix(name('shift'), 1, 1);
  gatherRows(shifts, own, shift);
  const inverse = workspace.matrix(name('inverse'), 1, columns);
  binary('add', base, shift, inverse);
  unary('reciprocal', inverse, inverse);
  const rows = workspace.matrix(name('rows'), n, columns);
  gatherRows(table, workspace.indices(name('indices'), indices.values.subarray(first, end)), rows);
  const scaled = workspace.matrix(name('scaled rows'), n, columns);
  binary('multiply', rows, inverse, scaled);
  const system = workspace.matrix(name('system'), n, n);
  gemm(rows, scaled, system, { transposeB: true });
  if (weights === undefined) addDiagonal(1, system);
  else {
    const entries = Int32Array.from({ length: n }, (_, e) => first + e);
    const inverseWeights = workspace.matrix(name('weights'), n, 1);
    gatherRows(weights, workspace.indices(name('entries'), entries), inverseWeights);
    unary('reciprocal', inverseWeights, inverseWeights);
    const diagonal = workspace.matrix(name('diagonal'), n, n);
    fill(0, diagonal);
    addDiagonal(1, diagonal);
    scaleRows(diagonal, inverseWeights, diagonal);
    axpy(1, diagonal, system);
  }
  const ones = workspace.matrix(name('ones'), n, 1);
  const solution = workspace.matrix(name('solution'), n, 1);
  fill(1, ones);
  solve(system, ones, solution, workspace.matrix(name('condition'), 1, 1));
  const result = workspace.matrix(name('result'), 1, columns);
  gemm(solution, scaled, result, { transposeA: true });
  scatterRows(result, own, out);
}
