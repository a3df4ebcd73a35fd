/**
 * A sparse matrix times a table: bags of weighted features, words or items. The entries are gathered, scaled by their
 * values and scattered into the rows they belong to, three kernels that every backend has; the gradient takes the same
 * way back. Neither pass depends on how many rows the table has. Merging the columns that repeat within a minibatch was
 * rejected: plain SGD scatters them as they are, and rules with moments merge them anyway.
 */
import {
  describeShape,
  fill,
  gatherRows,
  scaleRows,
  scatterAddRows,
  type Indices,
  type Matrix,
} from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import { checkTable, noteGather, type TableVariable, type Variable } from '../variable.ts';

/** An m×D matrix by its E entries, in any order; entries of the same place add up. */
export interface SparseEntries {
  /** m. */
  readonly rows: number;
  /** E: the row of each entry, below m. */
  readonly rowIndices: Indices;
  /** E: the column of each entry, below D. */
  readonly columnIndices: Indices;
  /** E×1; all 1 where there are none. A constant: no gradient is taken of it. */
  readonly values?: Matrix | undefined;
}

/**
 * a·table, m×n, for a sparse a of m×D and a table of D×n. The gradient of the table is row-sparse, a row for each
 * entry, in `table.gradients`. The entries stay the caller's and must keep their values until the step is over. 2En
 * forward and backward, and 2En numbers of memory, whatever D is.
 * @throws AutodiffError `shape` when the entries' parts differ in length; LinalgError `index-out-of-range`.
 */
export function sparseTimesTable(a: SparseEntries, table: TableVariable): Variable {
  checkTable('sparseTimesTable', table);
  const { tape } = table;
  const { rows, rowIndices, columnIndices, values } = a;
  const entries = columnIndices.count;
  checkEntries(a, entries);
  const gathered = tape.allocate(entries, table.table.columns);
  gatherRows(table.table, columnIndices, gathered);
  if (values !== undefined) scaleRows(gathered, values, gathered);
  const out = tape.allocate(rows, table.table.columns);
  fill(0, out);
  scatterAddRows(gathered, rowIndices, out);
  // A leaf that stands for the rows as they were gathered: its gradient is that of the table.
  const leaf = tape.variable(gathered);
  noteGather(table, columnIndices, leaf);
  return tape.record(out, [leaf], (gradient, sink) => {
    const contribution = tape.allocate(entries, gradient.columns);
    gatherRows(gradient, rowIndices, contribution);
    if (values !== undefined) scaleRows(contribution, values, contribution);
    sink.add(leaf, contribution);
  });
}

function checkEntries({ rows, rowIndices, values }: SparseEntries, entries: number): void {
  if (!Number.isSafeInteger(rows) || rows < 0) {
    throw new AutodiffError('shape', `sparseTimesTable: rows is ${rows}; a whole number of at least 0 is needed`);
  }
  if (rowIndices.count !== entries) {
    throw new AutodiffError(
      'shape',
      `sparseTimesTable: ${rowIndices.count} row indices for ${entries} column indices; one each for every entry`,
    );
  }
  if (values !== undefined && (values.rows !== entries || values.columns !== 1)) {
    throw new AutodiffError(
      'shape',
      `sparseTimesTable: values is ${describeShape(values)} for ${entries} entries; it must be ${entries}×1`,
    );
  }
}
