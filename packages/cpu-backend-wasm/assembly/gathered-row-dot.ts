/**
 * Dot products of pairs of rows by two lists, cut into pairs. The next rows are fetched while a product is computed:
 * those of a table are in no cache.
 */
import { dot } from './gemm-vector';
import { argument, gatheredRowDotJob, setArgument, size } from './job';
import { fetchRow, rowAt, rowsPerChunk } from './rows';
import { run } from './run';

/** @param aIndices 0 for the rows of a matrix in their order, as bIndices */
export function gatheredRowDot(
  a: usize,
  aShift: i32,
  aIndices: usize,
  b: usize,
  bShift: i32,
  bIndices: usize,
  count: i32,
  columns: i32,
  out: usize,
): void {
  setArgument(0, a);
  setArgument(1, aShift);
  setArgument(2, aIndices);
  setArgument(3, b);
  setArgument(4, bShift);
  setArgument(5, bIndices);
  setArgument(6, count);
  setArgument(7, columns);
  setArgument(8, out);
  const each = rowsPerChunk(columns);
  run(gatheredRowDotJob, (count + each - 1) / each);
}

export function gatheredRowDotChunk(chunk: i32): void {
  const columns = size(7);
  const bytes = (<usize>columns) << 2;
  const each = rowsPerChunk(columns);
  const first = chunk * each;
  const last = min(first + each, size(6));
  const out = argument(8);
  for (let i = first; i < last; i++) {
    if (i + 1 < last) {
      fetchRow(place(0, i + 1, bytes), bytes);
      fetchRow(place(3, i + 1, bytes), bytes);
    }
    store<f32>(out + ((<usize>i) << 2), dot(columns, place(0, i, bytes), place(3, i, bytes)));
  }
}

/** Where row i of the operand is whose arguments begin at `slot`. */
function place(slot: usize, i: i32, bytes: usize): usize {
  const indices = argument(slot + 2);
  return rowAt(argument(slot), size(slot + 1), indices == 0 ? i : load<u32>(indices + ((<usize>i) << 2)), bytes);
}
