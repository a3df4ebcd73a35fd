import type { CsrRows } from './csr-rows.ts';
import { SparseDataError } from '../errors.ts';

/**
 * Columns from the most to the least frequent; equally frequent columns in ascending order. O(D + n log n) for n
 * columns with a count above 0.
 */
export function columnsByFrequency(counts: ArrayLike<number>): Int32Array {
  const order = new Int32Array(counts.length);
  let occurring = 0;
  for (let column = 0; column < counts.length; column++) if (counts[column]! > 0) order[occurring++] = column;
  order.subarray(0, occurring).sort((a, b) => counts[b]! - counts[a]! || a - b);
  // Most labels of a large set may occur nowhere, and V8 refuses to sort 2^30 bytes with a function.
  let place = occurring;
  for (let column = 0; column < counts.length; column++) if (!(counts[column]! > 0)) order[place++] = column;
  return order;
}

/**
 * The same rows with renumbered columns: column order[i] becomes i. Layers that treat frequent classes separately
 * (hybrid, adaptive) and proposals by rank need classes in descending order of frequency, as vocabularies have them.
 * Keep `order` to translate predictions back. O(entries + D).
 * @throws SparseDataError `shape` if `order` is not a permutation of all columns.
 */
export function renumberColumns(csr: CsrRows, order: Int32Array): CsrRows {
  const { columns, indices } = csr;
  const places = new Int32Array(columns).fill(-1);
  order.forEach((column, place) => {
    if (column < 0 || column >= columns || places[column] !== -1 || order.length !== columns) {
      throw new SparseDataError(
        'shape',
        `renumberColumns: order has ${order.length} entries, ${column} at ${place}, for ${columns} columns; each of 0..${columns - 1} is needed once`,
      );
    }
    places[column] = place;
  });
  return { ...csr, indices: indices.map((column) => places[column]!) };
}

/** The number of entries of each column: how often each class or feature occurs. O(entries + columns). */
export function columnCounts(csr: CsrRows): Float64Array {
  const counts = new Float64Array(csr.columns);
  const entries = csr.offsets[csr.rows] ?? 0;
  for (let entry = 0; entry < entries; entry++) counts[csr.indices[entry]!]!++;
  return counts;
}
