/**
 * A sparse matrix times a table: bags of weighted features, words or items. `sparseTimesRows` of linalg-core adds the
 * table's rows where they belong; the gradient takes the same way back, with the lists exchanged. Neither pass depends
 * on how many rows the table has. The gradient's rows are computed when they are read; an optimizer that adds them up
 * needs none of them.
 */
import {
  describeShape,
  fill,
  gatherRows,
  scaleRows,
  scatterAddRows,
  sparseTimesRows,
  type Indices,
  type Matrix,
  type RowTable,
} from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import {
  checkTable,
  noteGradient,
  type Allocate,
  type TableGradient,
  type TableVariable,
  type Variable,
} from '../variable.ts';

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
 * forward and backward, whatever D is; no memory beyond the output where the backend has `sparseTimesRows`.
 * @throws AutodiffError `shape` when the entries' parts differ in length; LinalgError `index-out-of-range`.
 */
export function sparseTimesTable(a: SparseEntries, table: TableVariable): Variable {
  checkTable('sparseTimesTable', table);
  const { tape } = table;
  const { rows } = a;
  checkEntries(a, a.columnIndices.count);
  const out = tape.allocate(rows, table.table.columns);
  fill(0, out);
  const allocate = (count: number, columns: number): Matrix => tape.allocate(count, columns);
  sparseTimesRows(a, table.table, out, allocate);
  const output = tape.variable(out);
  let gradient: SparseGradient | undefined;
  noteGradient(table, () => {
    if (output.gradient === undefined) return undefined;
    gradient ??= new SparseGradient(a, output.gradient, allocate);
    return gradient;
  });
  return output;
}

/** Row e is values_e times the output's gradient in row rowIndices_e. */
class SparseGradient implements TableGradient {
  readonly indices: Indices;
  readonly #entries: SparseEntries;
  readonly #outputGradient: Matrix;
  readonly #allocate: Allocate;
  #rows: Matrix | undefined;

  constructor(entries: SparseEntries, outputGradient: Matrix, allocate: Allocate) {
    this.indices = entries.columnIndices;
    this.#entries = entries;
    this.#outputGradient = outputGradient;
    this.#allocate = allocate;
  }

  get rows(): Matrix {
    if (this.#rows !== undefined) return this.#rows;
    const { rowIndices, values } = this.#entries;
    const rows = this.#allocate(rowIndices.count, this.#outputGradient.columns);
    gatherRows(this.#outputGradient, rowIndices, rows);
    if (values !== undefined) scaleRows(rows, values, rows);
    this.#rows = rows;
    return rows;
  }

  addTo(places: Indices, out: Matrix | RowTable, scale: number): void {
    // Once they were read they may have been changed.
    if (this.#rows !== undefined) {
      scatterAddRows(this.#rows, places, out, { scale });
      return;
    }
    const { rowIndices, values } = this.#entries;
    const entries = { rowIndices: places, columnIndices: rowIndices, values };
    sparseTimesRows(entries, this.#outputGradient, out, this.#allocate, { scale });
  }
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
