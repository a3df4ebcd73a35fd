/**
 * Rows between a table in pieces and one array, number by number: a loop over two typed arrays allocates nothing, where `subarray` and
 * `set` make a view for each row. For backends that keep tables on the host. Offsets are in numbers, the checks have been made.
 */
import type { FloatArray } from '../backend.ts';
import type { TablePieces } from './table-pieces.ts';

/** rows[offset + i·columns …] = table[indices_i]. */
export function gatherTableRows(table: TablePieces, indices: Int32Array, count: number, rows: FloatArray, offset: number): void {
  const { pieces, shift, mask, columns } = table;
  for (let i = 0, to = offset; i < count; i++) {
    const index = indices[i]!;
    const piece = pieces[index >> shift]!;
    for (let from = (index & mask) * columns, end = from + columns; from < end; from++, to++) rows[to] = piece[from]!;
  }
}

/** table[indices_i] += scale·rows[offset + i·columns …], one after another, so that repeated indices accumulate in the same order every time. */
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
    for (let to = (index & mask) * columns, end = to + columns; to < end; from++, to++) piece[to] = piece[to]! + scale * rows[from]!;
  }
}

/** table[indices_i] = rows[offset + i·columns …]; of a repeated index the last stays. */
export function scatterTableRows(rows: FloatArray, offset: number, indices: Int32Array, count: number, table: TablePieces): void {
  const { pieces, shift, mask, columns } = table;
  for (let i = 0, from = offset; i < count; i++) {
    const index = indices[i]!;
    const piece = pieces[index >> shift]!;
    for (let to = (index & mask) * columns, end = to + columns; to < end; from++, to++) piece[to] = rows[from]!;
  }
}

/** table[firstRow …] = values, `count` rows. */
export function writeTableRows(values: ArrayLike<number>, firstRow: number, count: number, table: TablePieces): void {
  const { pieces, shift, mask, columns } = table;
  for (let row = 0, from = 0; row < count; row++) {
    const piece = pieces[(firstRow + row) >> shift]!;
    for (let to = ((firstRow + row) & mask) * columns, end = to + columns; to < end; from++, to++) piece[to] = values[from]!;
  }
}

/** out = table[firstRow …], `count` rows. */
export function readTableRows(table: TablePieces, firstRow: number, count: number, out: FloatArray): void {
  const { pieces, shift, mask, columns } = table;
  for (let row = 0, to = 0; row < count; row++) {
    const piece = pieces[(firstRow + row) >> shift]!;
    for (let from = ((firstRow + row) & mask) * columns, end = from + columns; from < end; from++, to++) out[to] = piece[from]!;
  }
}
