/**
 * Rows of a table in 8 bits, and their products with one query: bounds of inner products at a quarter of the memory that
 * reading the rows takes, for exact search. Only some backends have kernels for it; where they have none, or cannot use
 * a table in place, the products of the rows themselves serve.
 *
 * Row r is near scale·c, whole numbers |c| ≤ 127 and the scale of the row; its distance ‖x − scale·c‖ is stored beside the
 * scale and never too small, so that |q·x − scale·(q·c)| ≤ ‖q‖·distance (Cauchy and Schwarz).
 */
import type { Matrix, RowTable } from './backend.ts';
import { LinalgError } from './errors.ts';
import type { QuantizedProductSettings } from './kernel-types.ts';
import { checkAlive, checkFinite, checkNotAliased, checkOperand, checkRange, checkShape } from './storage.ts';

/** Scale and distance. */
const factorColumns = 2;

/** Columns of the table of codes for rows of `width` numbers: four codes in each number, and whole vectors of 16. */
export function codeColumns(width: number): number {
  return 4 * Math.ceil(width / 16);
}

/**
 * Rows firstRow … firstRow + count − 1 of `source` in 8 bits, into the same rows of `codes` and `factors`. O(count·width).
 * @param codes D×codeColumns(width); bits that only these two operations understand.
 * @param factors D×2: scale and distance. A row with numbers beyond 10³⁰, or none above 10⁻³⁰, has the scale 0.
 * @returns false, with nothing done, where the backend cannot.
 * @throws LinalgError `shape`, `index-out-of-range`, `aliasing`, `disposed`, `backend-mismatch`.
 */
export function quantizeRows(
  source: RowTable,
  firstRow: number,
  count: number,
  codes: RowTable,
  factors: RowTable,
): boolean {
  const operation = 'quantizeRows';
  checkTables(operation, codes, factors);
  checkOperand(operation, 'source', source, codes.backend);
  checkNotAliased(operation, 'source', source, codes);
  checkNotAliased(operation, 'source', source, factors);
  checkRange(operation, 'rows', firstRow, count, Math.min(source.rows, codes.rows));
  const columns = codeColumns(source.columns);
  if (codes.columns !== columns) {
    throw new LinalgError(
      'shape',
      `${operation}: codes has ${codes.columns} columns, rows of ${source.columns} numbers need ${columns}`,
    );
  }
  return codes.backend.quantizeRows?.(source, firstRow, count, codes, factors) ?? false;
}

/**
 * out_i = alpha·scale·(c·query) + beta·distance for rows firstRow + i. The product c·query is exact, the rest is rounded
 * to the backend's precision: three operations. O(count·width).
 * @param query 1×4·codes.columns, whole numbers from −32,767 to 32,767 with Σ|query| ≤ 16,000,000, 0 beyond the width.
 * @param out count×1.
 * @returns false, with nothing done, where the backend cannot.
 * @throws LinalgError as quantizeRows.
 */
export function quantizedProducts(
  codes: RowTable,
  factors: RowTable,
  firstRow: number,
  query: Matrix,
  out: Matrix,
  settings: QuantizedProductSettings,
): boolean {
  const operation = 'quantizedProducts';
  checkTables(operation, codes, factors);
  checkAlive(operation, 'out', out);
  checkOperand(operation, 'query', query, out.backend);
  checkOperand(operation, 'codes', codes, out.backend);
  checkNotAliased(operation, 'query', query, out);
  checkRange(operation, 'rows', firstRow, out.rows, codes.rows);
  checkShape(operation, 'query', query, 1, 4 * codes.columns);
  checkShape(operation, 'out', out, out.rows, 1);
  checkFinite(operation, 'alpha', settings.alpha);
  checkFinite(operation, 'beta', settings.beta);
  return out.backend.quantizedProducts?.(codes, factors, firstRow, query, out, settings) ?? false;
}

function checkTables(operation: string, codes: RowTable, factors: RowTable): void {
  checkAlive(operation, 'codes', codes);
  checkOperand(operation, 'factors', factors, codes.backend);
  checkNotAliased(operation, 'codes', codes, factors);
  if (factors.columns !== factorColumns || factors.rows !== codes.rows) {
    throw new LinalgError(
      'shape',
      `${operation}: factors is ${factors.rows}×${factors.columns}, expected ${codes.rows}×${factorColumns}`,
    );
  }
}
