/**
 * Dot products of pairs of rows by two lists, cut into pairs. The next rows are fetched while a product is computed:
 * those of a table are in no cache.
 */
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
    store<f32>(out + ((<usize>i) << 2), dot(place(0, i, bytes), place(3, i, bytes), columns));
  }
}

/** Where row i of the operand is whose arguments begin at `slot`. */
function place(slot: usize, i: i32, bytes: usize): usize {
  const indices = argument(slot + 2);
  return rowAt(argument(slot), size(slot + 1), indices == 0 ? i : load<u32>(indices + ((<usize>i) << 2)), bytes);
}

function dot(x: usize, y: usize, length: i32): f32 {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let i = 0;
  for (; i + 16 <= length; i += 16, x += 64, y += 64) {
    s0 = f32x4.add(s0, f32x4.mul(v128.load(x), v128.load(y)));
    s1 = f32x4.add(s1, f32x4.mul(v128.load(x, 16), v128.load(y, 16)));
    s2 = f32x4.add(s2, f32x4.mul(v128.load(x, 32), v128.load(y, 32)));
    s3 = f32x4.add(s3, f32x4.mul(v128.load(x, 48), v128.load(y, 48)));
  }
  for (; i + 4 <= length; i += 4, x += 16, y += 16) s0 = f32x4.add(s0, f32x4.mul(v128.load(x), v128.load(y)));
  s0 = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  let total =
    f32x4.extract_lane(s0, 0) + f32x4.extract_lane(s0, 1) + (f32x4.extract_lane(s0, 2) + f32x4.extract_lane(s0, 3));
  for (; i < length; i++, x += 4, y += 4) total += load<f32>(x) * load<f32>(y);
  return total;
}
