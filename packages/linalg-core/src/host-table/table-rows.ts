/**
 * Rows between a table in pieces and one array. A row of some length is copied by `set` from a view: the views are
 * short-lived garbage, but the loop over two typed arrays, which makes none, took three times as long for rows of 300
 * numbers (112 against 38 µs for 128 of them). For backends that keep tables on the host. Offsets are in numbers, the
 * checks have been made.
 */
import type { FloatArray } from '../backend.ts';
import type { TablePieces } from './table-pieces.ts';

/** From here on a view and `set` are faster than a loop. */
const longRow = 48;

function copyNumbers(source: FloatArray, from: number, count: number, target: FloatArray, to: number): void {
  if (count >= longRow) target.set(source.subarray(from, from + count), to);
  else for (let i = 0; i < count; i++) target[to + i] = source[from + i]!;
}

/** rows[offset + i·columns …] = table[indices_i]. */
export function gatherTableRows(
  table: TablePieces,
  indices: Int32Array,
  count: number,
  rows: FloatArray,
  offset: number,
): void {
  const { pieces, shift, mask, columns } = table;
  for (let i = 0, to = offset; i < count; i++, to += columns) {
    const index = indices[i]!;
    copyNumbers(pieces[index >> shift]!, (index & mask) * columns, columns, rows, to);
  }
}

/**
 * table[indices_i] += scale·rows[offset + i·columns …], one after another, so that repeated indices accumulate in the
 * same order every time.
 */
export function scatterAddTableRows(
  rows: FloatArray,
  offset: number,
  indices: Int32Array,
  count: number,
  scale: number,
  table: TablePieces,
): void {
  const { pieces, shift, mask, columns } = table;
  for (let i = 0, from = offset; i < count; i++) {
    const index = indices[i]!;
    const piece = pieces[index >> shift]!;
    for (let to = (index & mask) * columns, end = to + columns; to < end; from++, to++)
      piece[to] = piece[to]! + scale * rows[from]!;
  }
}

/** table[indices_i] = rows[offset + i·columns …]; of a repeated index the last stays. */
export function scatterTableRows(
  rows: FloatArray,
  offset: number,
  indices: Int32Array,
  count: number,
  table: TablePieces,
): void {
  const { pieces, shift, mask, columns } = table;
  for (let i = 0, from = offset; i < count; i++, from += columns) {
    const index = indices[i]!;
    copyNumbers(rows, from, columns, pieces[index >> shift]!, (index & mask) * columns);
  }
}

/** table[firstRow …] = values, `count` rows. */
export function writeTableRows(values: ArrayLike<number>, firstRow: number, count: number, table: TablePieces): void {
  const { pieces, shift, mask, columns } = table;
  for (let row = 0, from = 0; row < count; row++) {
    const piece = pieces[(firstRow + row) >> shift]!;
    for (let to = ((firstRow + row) & mask) * columns, end = to + columns; to < end; from++, to++)
      piece[to] = values[from]!;
  }
}

/** out = table[firstRow …], `count` rows. */
export function readTableRows(table: TablePieces, firstRow: number, count: number, out: FloatArray): void {
  const { pieces, shift, mask, columns } = table;
  for (let row = 0, to = 0; row < count; row++, to += columns) {
    copyNumbers(pieces[(firstRow + row) >> shift]!, ((firstRow + row) & mask) * columns, columns, out, to);
  }
}
