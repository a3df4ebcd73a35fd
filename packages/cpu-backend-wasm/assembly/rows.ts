/**
 * Rows of a matrix or a table by index. A matrix has its rows one after the other; a table has them in pieces, and a
 * directory of the pieces' offsets. Repeated indices of scatterAddRows accumulate in the order of the list; of
 * scatterRows the last stays.
 */
import { axpyRange, copyColumns } from './dense';
import { argument, gatherRowsJob, setArgument, size } from './job';
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

export function scatterAddRows(
  source: usize,
  indices: usize,
  count: i32,
  columns: i32,
  scale: f32,
  rows: usize,
  shift: i32,
): void {
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < count; i++, indices += 4, source += bytes) {
    axpyRange(scale, source, rowAt(rows, shift, load<u32>(indices), bytes), columns);
  }
}

export function scatterRows(source: usize, indices: usize, count: i32, columns: i32, rows: usize, shift: i32): void {
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < count; i++, indices += 4, source += bytes) {
    copyColumns(source, columns, rowAt(rows, shift, load<u32>(indices), bytes), columns, 1, columns);
  }
}
