/**
 * Products with consecutive rows of a table, which are used where they lie as far as the backend can (viewRows): scores
 * of classes are bound by reading the rows, and a copy would be written and read once more.
 */
import type { Matrix, RowTable } from './backend.ts';
import { TablePieces } from './host-table.ts';
import { copyColumns, gatherRows, gemm } from './operations.ts';
import { viewRows } from './row-view.ts';
import { checkOperand, checkRange, checkShape, type Workspace } from './storage.ts';

/** Rows of a block at most: its products stay in the cache. */
const mostRows = 8192;

/**
 * A power of two: a block of so many rows that begins at a multiple of it lies in one of the pieces in which the backends
 * of this project keep tables, so that it can be viewed where rows can be viewed at all.
 */
export function rowsOfBlock({ columns, backend }: RowTable): number {
  return Math.min(mostRows, new TablePieces(columns, backend.precision).mask + 1);
}

/**
 * out = a·Rᵀ for the rows R of `table` from `firstRow` on. O(m·count·width).
 * @param a m×width.
 * @param out m×count.
 * @param workspace for scratch, under names that begin with `row products`.
 * @throws LinalgError `shape`, `index-out-of-range`, `aliasing`, `disposed`.
 */
export function multiplyRows(a: Matrix, table: RowTable, firstRow: number, out: Matrix, workspace: Workspace): void {
  const operation = 'multiplyRows';
  const { columns } = out;
  checkOperand(operation, 'a', a, out.backend);
  checkOperand(operation, 'table', table, out.backend);
  checkRange(operation, 'rows', firstRow, columns, table.rows);
  checkShape(operation, 'out', out, a.rows, columns);
  const each = rowsOfBlock(table);
  for (let done = 0; done < columns;) {
    const first = firstRow + done;
    const count = Math.min(columns - done, each - (first % each));
    const part = count === columns ? out : workspace.matrix('row products', a.rows, count);
    multiplyBlock(a, table, first, part, workspace);
    if (part !== out) copyColumns(part, 0, out, done, count);
    done += count;
  }
}

function multiplyBlock(a: Matrix, table: RowTable, first: number, out: Matrix, workspace: Workspace): void {
  const count = out.columns;
  using view = viewRows(table, first, count);
  if (view !== undefined) {
    gemm(a, view, out, { transposeB: true });
    return;
  }
  const rows = workspace.matrix('row products rows', count, table.columns);
  const list = Int32Array.from({ length: count }, (_, i) => first + i);
  gatherRows(table, workspace.indices('row products list', list), rows);
  gemm(a, rows, out, { transposeB: true });
}
