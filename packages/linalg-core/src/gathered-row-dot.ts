/**
 * Dot products of pairs of rows given by two lists, such as examples and the nodes of a tree on the paths to their
 * classes: the entries of a product a·bᵀ that are needed, and no others. A backend may read the rows where they are;
 * where it has no kernel for it, they are gathered.
 */
import type { Indices, Matrix, RowTable } from './backend.ts';
import { LinalgError } from './errors.ts';
import { gatherRows, rowDot } from './operations.ts';
import { checkAlive, checkIndices, checkNotAliased, checkOperand, checkShape } from './storage.ts';

/**
 * out_i = a[aIndices_i] · b[bIndices_i], E×1. O(E·columns), whatever the rows of a and b.
 * @param allocate makes matrices for scratch, where the backend has no kernel for this.
 * @throws LinalgError `shape` when lists or widths differ, `index-out-of-range`, `aliasing`.
 */
export function gatheredRowDot(
  a: Matrix | RowTable,
  aIndices: Indices,
  b: Matrix | RowTable,
  bIndices: Indices,
  out: Matrix,
  allocate: (rows: number, columns: number, which: 'a' | 'b') => Matrix,
): void {
  const operation = 'gatheredRowDot';
  const { backend } = out;
  const { count } = aIndices;
  checkAlive(operation, 'out', out);
  checkOperand(operation, 'a', a, backend);
  checkOperand(operation, 'aIndices', aIndices, backend);
  checkOperand(operation, 'b', b, backend);
  checkOperand(operation, 'bIndices', bIndices, backend);
  checkNotAliased(operation, 'a', a, out);
  checkNotAliased(operation, 'b', b, out);
  checkIndices(operation, aIndices, a.rows, 'a');
  checkIndices(operation, bIndices, b.rows, 'b');
  if (bIndices.count !== count) {
    throw new LinalgError(
      'shape',
      `${operation}: ${count} indices of a, ${bIndices.count} of b; each pair needs one of both`,
    );
  }
  if (a.columns !== b.columns) {
    throw new LinalgError('shape', `${operation}: a has ${a.columns} columns, b ${b.columns}; they must be equal`);
  }
  checkShape(operation, 'out', out, count, 1);
  if (backend.gatheredRowDot) {
    backend.gatheredRowDot(a, aIndices, b, bIndices, out);
    return;
  }
  const fromA = allocate(count, a.columns, 'a');
  const fromB = allocate(count, b.columns, 'b');
  gatherRows(a, aIndices, fromA);
  gatherRows(b, bIndices, fromB);
  rowDot(fromA, fromB, out);
}
