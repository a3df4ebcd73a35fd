import { CsrBuffer } from './csr-buffer.ts';
import { validateCsrRows, type CsrRows } from './csr-rows.ts';
import { SparseDataError } from '../errors.ts';

/**
 * The same rows with each column once, where it first occurs: sets out of sequences. The values of entries with one
 * column are added, 1 each if there are none. O(entries).
 * @throws SparseDataError as validateCsrRows.
 */
export function addDuplicates(csr: CsrRows): CsrRows {
  validateCsrRows(csr, 'addDuplicates');
  const { rows, columns, offsets, indices, values } = csr;
  const sums = new CsrBuffer(columns, { weighted: 'if-needed' });
  const row = new Map<number, number>();
  for (let each = 0; each < rows; each++) {
    row.clear();
    for (let entry = offsets[each]!; entry < offsets[each + 1]!; entry++)
      row.set(indices[entry]!, (row.get(indices[entry]!) ?? 0) + (values === undefined ? 1 : values[entry]!));
    for (const [column, value] of row) sums.add(column, value);
    sums.endRow();
  }
  return sums.rows();
}

/**
 * The entries whose column does not occur in the same row of `excluded`. O(entries).
 * @throws SparseDataError `shape` for other numbers of rows, and as validateCsrRows.
 */
export function excludeEntries(csr: CsrRows, excluded: CsrRows): CsrRows {
  validateCsrRows(csr, 'excludeEntries');
  validateCsrRows(excluded, 'excludeEntries: excluded');
  if (csr.rows !== excluded.rows)
    throw new SparseDataError(
      'shape',
      `excludeEntries: there are ${csr.rows} rows, and ${excluded.rows} of what is excluded; they must be equal`,
    );
  const { rows, columns, offsets, indices, values } = csr;
  const left = new CsrBuffer(columns, { weighted: values !== undefined });
  for (let row = 0; row < rows; row++) {
    const without = new Set(excluded.indices.subarray(excluded.offsets[row]!, excluded.offsets[row + 1]!));
    for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++)
      if (!without.has(indices[entry]!)) left.add(indices[entry]!, values === undefined ? 1 : values[entry]!);
    left.endRow();
  }
  return left.rows();
}

/**
 * Each column with its rows, ascending, and their values where there are any. O(entries + columns).
 * @throws SparseDataError as validateCsrRows.
 */
export function transposeCsr(csr: CsrRows): CsrRows {
  validateCsrRows(csr, 'transposeCsr');
  const { rows, columns, offsets: starts, indices: columnOf, values: given } = csr;
  const entries = starts[rows]!;
  const offsets = new Int32Array(columns + 1);
  for (let entry = 0; entry < entries; entry++) offsets[columnOf[entry]! + 1]!++;
  for (let column = 0; column < columns; column++) offsets[column + 1]! += offsets[column]!;
  const next = offsets.slice(0, columns);
  const indices = new Int32Array(entries);
  const values = given === undefined ? undefined : new Float64Array(entries);
  for (let row = 0; row < rows; row++) {
    for (let entry = starts[row]!; entry < starts[row + 1]!; entry++) {
      const place = next[columnOf[entry]!]!++;
      indices[place] = row;
      if (values !== undefined) values[place] = given?.[entry] ?? 1;
    }
  }
  return { rows: columns, columns: rows, offsets, indices, values };
}
