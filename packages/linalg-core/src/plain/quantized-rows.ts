/** Rows in 8 bits and their products, as the operations of ../quantized-rows.ts describe them. */
import type { TablePieces } from '../host-table.ts';
import type { FloatArray, QuantizedProductSettings } from '../kernel-types.ts';

const largestCode = 127;
/** More than the roundings of a distance. */
const raised = 1 + 2e-6;
const unit = 2 ** -149;

export function quantizeTableRows(
  source: TablePieces,
  firstRow: number,
  count: number,
  codes: TablePieces,
  factors: TablePieces,
): void {
  const { columns } = source;
  for (let row = firstRow; row < firstRow + count; row++) {
    const from = (row & source.mask) * columns;
    const x = source.pieces[row >> source.shift]!.subarray(from, from + columns);
    let extent = 0;
    for (let j = 0; j < columns; j++) extent = Math.max(extent, Math.abs(x[j]!));
    const isCoded = extent >= 1e-30 && extent <= 1e30;
    const scale = isCoded ? Math.fround(extent / largestCode) : 0;
    const out = codesOf(codes, row).fill(0);
    let sum = 0;
    for (let j = 0; j < columns; j++) {
      const code = isCoded ? Math.round((x[j]! / extent) * largestCode) : 0;
      out[j] = code;
      sum += (x[j]! - scale * code) ** 2;
    }
    const piece = factors.pieces[row >> factors.shift]!;
    const to = (row & factors.mask) * 2;
    piece[to] = scale;
    piece[to + 1] = Math.sqrt(sum) * raised + unit;
  }
}

export function multiplyQuantizedRows(
  codes: TablePieces,
  factors: TablePieces,
  firstRow: number,
  query: FloatArray,
  out: FloatArray,
  count: number,
  { alpha, beta }: QuantizedProductSettings,
): void {
  for (let i = 0; i < count; i++) {
    const row = firstRow + i;
    const own = codesOf(codes, row);
    let product = 0;
    for (let j = 0; j < own.length; j++) product += own[j]! * query[j]!;
    const piece = factors.pieces[row >> factors.shift]!;
    const at = (row & factors.mask) * 2;
    out[i] = alpha * piece[at]! * product + beta * piece[at + 1]!;
  }
}

/** The bytes of a row, four for each number of the table. */
function codesOf({ pieces, shift, mask, columns }: TablePieces, row: number): Int8Array {
  const piece = pieces[row >> shift]!;
  const bytes = piece.BYTES_PER_ELEMENT * columns;
  return new Int8Array(piece.buffer, piece.byteOffset + (row & mask) * bytes, 4 * columns);
}
