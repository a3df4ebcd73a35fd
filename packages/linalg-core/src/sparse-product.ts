/**
 * A sparse matrix, given by its entries, times rows: bags of weighted features, and their gradient with the lists
 * exchanged. A backend may add each row where it belongs; where it has no kernel for it, the rows are gathered, scaled
 * and scattered.
 */
import type { Indices, Matrix, RowTable } from './backend.ts';
import { LinalgError } from './errors.ts';
import { gatherRows, scaleRows, scatterAddRows, type ScatterOptions } from './operations.ts';
import { checkAlive, checkFinite, checkIndices, checkNotAliased, checkOperand, checkShape } from './storage.ts';

/** E entries in any order; entries of the same place add up. */
export interface SparseProductEntries {
  /** Row of each entry: where in `out` its product goes. */
  readonly rowIndices: Indices;
  /** Column of each entry: which row of the source it multiplies. */
  readonly columnIndices: Indices;
  /** E×1; all 1 where there are none. */
  readonly values?: Matrix | undefined;
}

/**
 * out[rowIndices_e] += scale·values_e·source[columnIndices_e], entry after entry, so that the order is the same every
 * time. O(E·columns), whatever the rows of the source and of out.
 * @param allocate makes a matrix for scratch, where the backend has no kernel for this.
 * @throws LinalgError `shape` when lists or widths differ, `index-out-of-range`, `aliasing`.
 */
export function sparseTimesRows(
  entries: SparseProductEntries,
  source: Matrix | RowTable,
  out: Matrix | RowTable,
  allocate: (rows: number, columns: number) => Matrix,
  { scale = 1 }: ScatterOptions = {},
): void {
  const operation = 'sparseTimesRows';
  const { rowIndices, columnIndices, values } = entries;
  const { backend, columns } = out;
  const { count } = columnIndices;
  checkAlive(operation, 'out', out);
  checkOperand(operation, 'source', source, backend);
  checkOperand(operation, 'rowIndices', rowIndices, backend);
  checkOperand(operation, 'columnIndices', columnIndices, backend);
  checkNotAliased(operation, 'source', source, out);
  checkFinite(operation, 'scale', scale);
  checkIndices(operation, rowIndices, out.rows, 'out');
  checkIndices(operation, columnIndices, source.rows, 'the source');
  if (rowIndices.count !== count) {
    throw new LinalgError(
      'shape',
      `${operation}: ${rowIndices.count} row indices for ${count} column indices; one each for every entry`,
    );
  }
  if (source.columns !== columns) {
    throw new LinalgError(
      'shape',
      `${operation}: source has ${source.columns} columns, out ${columns}; they must be equal`,
    );
  }
  if (values !== undefined) {
    checkOperand(operation, 'values', values, backend);
    checkNotAliased(operation, 'values', values, out);
    checkShape(operation, 'values', values, count, 1);
  }
  if (backend.sparseTimesRows) {
    backend.sparseTimesRows(rowIndices, columnIndices, values, source, scale, out);
    return;
  }
  const gathered = allocate(count, columns);
  gatherRows(source, columnIndices, gathered);
  if (values !== undefined) scaleRows(gathered, values, gathered);
  scatterAddRows(gathered, rowIndices, out, { scale });
}
