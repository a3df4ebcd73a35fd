/**
 * Rows of a matrix or a table by index. A matrix has its rows one after the other; a table has them in pieces, and a
 * directory of the pieces' offsets. Repeated indices of addRows accumulate in the order of the list; of
 * scatterRows the last stays.
 */
import { axpyRange, copyColumns } from './dense';
import { addRowsJob, argument, gatherRowsJob, real, setArgument, setReal, size } from './job';
import { run } from './run';

/**
 * Where a row is.
 * @param rows of a matrix: its first row. Of a table: its directory.
 * @param shift a piece has 2^shift rows; −1 for a matrix
 */
export function rowAt(rows: usize, shift: i32, row: u32, bytes: usize): usize {
  if (shift < 0) return rows + <usize>row * bytes;
  return <usize>load<u32>(rows + ((<usize>(row >> shift)) << 2)) + <usize>(row & ((1 << shift) - 1)) * bytes;
}

/** Numbers in a chunk: some microseconds. */
const numbersPerChunk: i32 = 16_384;

export function rowsPerChunk(columns: i32): i32 {
  return max(1, numbersPerChunk / max(1, columns));
}

export function gatherRows(rows: usize, shift: i32, indices: usize, count: i32, columns: i32, out: usize): void {
  setArgument(0, rows);
  setArgument(1, shift);
  setArgument(2, indices);
  setArgument(3, count);
  setArgument(4, columns);
  setArgument(5, out);
  const each = rowsPerChunk(columns);
  run(gatherRowsJob, (count + each - 1) / each);
}

export function gatherRowsChunk(chunk: i32): void {
  const shift = size(1);
  const columns = size(4);
  const bytes = (<usize>columns) << 2;
  const each = rowsPerChunk(columns);
  const first = chunk * each;
  const last = min(first + each, size(3));
  const indices = argument(2);
  let out = argument(5) + <usize>first * bytes;
  for (let i = first; i < last; i++, out += bytes) {
    const row = load<u32>(indices + ((<usize>i) << 2));
    copyColumns(rowAt(argument(0), shift, row, bytes), columns, out, columns, 1, columns);
  }
}

/** Columns in a chunk of addRows: every chunk adds all rows in their order, so none adds to what another has written. */
const columnsPerChunk: i32 = 64;

/**
 * out[outIndices_i] += scale·values_i·source[sourceIndices_i], one after another.
 * @param sourceIndices 0 for the rows of a matrix in their order
 * @param values 0 for all 1
 */
export function addRows(
  source: usize,
  sourceShift: i32,
  sourceIndices: usize,
  values: usize,
  scale: f32,
  count: i32,
  columns: i32,
  out: usize,
  outShift: i32,
  outIndices: usize,
): void {
  setArgument(0, source);
  setArgument(1, sourceShift);
  setArgument(2, sourceIndices);
  setArgument(3, values);
  setReal(4, scale);
  setArgument(5, count);
  setArgument(6, columns);
  setArgument(7, out);
  setArgument(8, outShift);
  setArgument(9, outIndices);
  const small = <i64>count * <i64>columns <= <i64>numbersPerChunk;
  run(addRowsJob, small ? 1 : max(1, columns / columnsPerChunk));
}

/** @param chunks how many there are: the last one also has the columns that are left over */
export function addRowsChunk(chunk: i32, chunks: i32): void {
  const source = argument(0);
  const sourceShift = size(1);
  const sourceIndices = argument(2);
  const values = argument(3);
  const scale = <f32>real(4);
  const count = size(5);
  const columns = size(6);
  const out = argument(7);
  const outShift = size(8);
  const outIndices = argument(9);
  const first = chunk * columnsPerChunk;
  const width = chunk == chunks - 1 ? columns - first : columnsPerChunk;
  const offset = (<usize>first) << 2;
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < count; i++) {
    const at = (<usize>i) << 2;
    const from = rowAt(source, sourceShift, sourceIndices == 0 ? i : load<u32>(sourceIndices + at), bytes);
    const to = rowAt(out, outShift, load<u32>(outIndices + at), bytes);
    const factor = values == 0 ? scale : scale * load<f32>(values + at);
    axpyRange(factor, from + offset, to + offset, width);
  }
}

export function scatterRows(source: usize, indices: usize, count: i32, columns: i32, rows: usize, shift: i32): void {
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < count; i++, indices += 4, source += bytes) {
    copyColumns(source, columns, rowAt(rows, shift, load<u32>(indices), bytes), columns, 1, columns);
  }
}
