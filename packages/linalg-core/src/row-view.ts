/**
 * Rows of a table as a matrix over the same numbers, for products with a block of a table. Only some backends can, and
 * only for rows that lie one after the other; elsewhere the rows are gathered, and changed ones scattered.
 */
import type { Matrix, RowTable } from './backend.ts';
import { checkAlive, checkRange } from './storage.ts';

/**
 * `count` rows of `table` from `firstRow` on, count×columns, or undefined where they cannot be used in place. What is
 * written to the view is in the table and the reverse, so a kernel must not get a view together with its table, or with
 * a view of the same rows, where one of them is its `out`. The caller disposes the view; it becomes invalid when the
 * table grows or is disposed. O(1).
 * @throws LinalgError `index-out-of-range`, `disposed`.
 */
export function viewRows(table: RowTable, firstRow: number, count: number): Matrix | undefined {
  checkAlive('viewRows', 'table', table);
  checkRange('viewRows', 'rows', firstRow, count, table.rows);
  return table.backend.viewRows?.(table, firstRow, count);
}
