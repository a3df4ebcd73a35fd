/**
 * The numerators of a softmax: a row is read for its maximum, and while it is in the cache replaced by its exponentials
 * and summed. Sums are kept in f64, as in reduce.ts.
 */
import { widenHigh } from './accumulate';
import { exp4 } from './functions';
import { argument, exponentiateRowsJob, setArgument, size } from './job';
import { storePart } from './partial-vector';
import { largest } from './reduce';
import { run } from './run';

/** Numbers in a chunk: some microseconds. */
const chunkNumbers: i32 = 4096;

function rowsPerChunk(columns: i32): i32 {
  return max(1, chunkNumbers / max(1, columns));
}

/** x_ij = exp(x_ij - max_j x_ij), with the maxima and the sums of the rows; cut into rows. */
export function exponentiateRows(x: usize, rows: i32, columns: i32, maxima: usize, sums: usize): void {
  setArgument(0, x);
  setArgument(1, rows);
  setArgument(2, columns);
  setArgument(3, maxima);
  setArgument(4, sums);
  const each = rowsPerChunk(columns);
  run(exponentiateRowsJob, (rows + each - 1) / each);
}

export function exponentiateRowsChunk(chunk: i32): void {
  const columns = size(2);
  const each = rowsPerChunk(columns);
  const first = chunk * each;
  const end = min(size(1), first + each);
  const bytes = (<usize>columns) << 2;
  let x = argument(0) + <usize>first * bytes;
  for (let row = first; row < end; row++, x += bytes) {
    const at = (<usize>row) << 2;
    const maximum = largest(x, columns);
    store<f32>(argument(3) + at, maximum);
    store<f32>(argument(4) + at, <f32>exponentiate(x, columns, maximum));
  }
}

function exponentiate(x: usize, length: i32, maximum: f32): f64 {
  const shift = f32x4.splat(maximum);
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let i = 0;
  for (; i + 8 <= length; i += 8, x += 32) {
    const first = exp4(f32x4.sub(v128.load(x), shift));
    const second = exp4(f32x4.sub(v128.load(x, 16), shift));
    v128.store(x, first);
    v128.store(x, second, 16);
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(first));
    s1 = f64x2.add(s1, widenHigh(first));
    s2 = f64x2.add(s2, f64x2.promote_low_f32x4(second));
    s3 = f64x2.add(s3, widenHigh(second));
  }
  s0 = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  let total = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (; i < length; i += 4, x += 16) {
    const values = exp4(f32x4.sub(v128.load(x), shift));
    const count = min(4, length - i);
    if (count == 4) v128.store(x, values);
    else storePart(x, values, count);
    for (let t = 0; t < count; t++) total += <f64>load<f32>(x + ((<usize>t) << 2));
  }
  return total;
}
