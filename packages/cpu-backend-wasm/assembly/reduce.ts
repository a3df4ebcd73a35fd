/**
 * Reductions and row dot products. Sums are kept in f64, which is what makes long f32 sums usable; the numbers are
 * widened two at a time. Numbers: sum 0, sumSquares 1, maximum 2 (src/kernels.ts). The vector maximum of WebAssembly
 * keeps NaN, so a poisoned row stays visible.
 */
import { widenHigh } from './accumulate';
import {
  argument,
  maxPartials,
  partialsAt,
  reduceAllJob,
  reduceColumnsJob,
  reduceRowsJob,
  rowDotJob,
  setArgument,
  size,
} from './job';
import { storePart } from './partial-vector';
import { run } from './run';

/** Numbers in a chunk. */
const chunkNumbers: i32 = 16_384;

function rowsPerChunk(columns: i32): i32 {
  return max(1, chunkNumbers / max(1, columns));
}

/**
 * out_i = ⊕ⱼ x_ij; the whole matrix is one row of rows·columns numbers. Cut into rows, or a single row into numbers.
 */
export function reduceRows(operation: i32, x: usize, rows: i32, columns: i32, out: usize): void {
  setArgument(0, operation);
  setArgument(1, x);
  setArgument(2, rows);
  setArgument(3, columns);
  setArgument(4, out);
  if (rows == 1 && columns > chunkNumbers) {
    reduceAll(operation, columns, out);
    return;
  }
  const each = rowsPerChunk(columns);
  run(reduceRowsJob, (rows + each - 1) / each);
}

export function reduceRowsChunk(chunk: i32): void {
  const columns = size(3);
  const each = rowsPerChunk(columns);
  const first = chunk * each;
  const x = argument(1) + <usize>first * ((<usize>columns) << 2);
  reduceRowRange(size(0), x, min(each, size(2) - first), columns, argument(4) + ((<usize>first) << 2));
}

/** Long enough that all partial results have a place. */
function numbersPerPartial(length: i32): i32 {
  return max(chunkNumbers, (length / maxPartials + 8) & ~7);
}

/** Each chunk leaves its partial result, and those are combined in order. */
function reduceAll(operation: i32, length: i32, out: usize): void {
  const each = numbersPerPartial(length);
  const chunks = (length - 1) / each + 1;
  run(reduceAllJob, chunks);
  let result = load<f64>(partialsAt);
  for (let chunk = 1; chunk < chunks; chunk++) {
    const partial = load<f64>(partialsAt + ((<usize>chunk) << 3));
    result = operation == 2 ? max(result, partial) : result + partial;
  }
  store<f32>(out, <f32>result);
}

export function reduceAllChunk(chunk: i32): void {
  const length = size(3);
  const each = numbersPerPartial(length);
  const first = chunk * each;
  const x = argument(1) + ((<usize>first) << 2);
  const count = min(each, length - first);
  const operation = size(0);
  store<f64>(
    partialsAt + ((<usize>chunk) << 3),
    operation == 2 ? <f64>largest(x, count) : operation == 0 ? sum(x, count) : dot(x, x, count),
  );
}

function reduceRowRange(operation: i32, x: usize, rows: i32, columns: i32, out: usize): void {
  for (let row = 0; row < rows; row++, out += 4, x += (<usize>columns) << 2) {
    if (operation == 2) store<f32>(out, largest(x, columns));
    else store<f32>(out, <f32>(operation == 0 ? sum(x, columns) : dot(x, x, columns)));
  }
}

/** out_i = Σⱼ a_ij·b_ij, cut into rows. */
export function rowDot(a: usize, b: usize, out: usize, rows: i32, columns: i32): void {
  setArgument(0, a);
  setArgument(1, b);
  setArgument(2, out);
  setArgument(3, rows);
  setArgument(4, columns);
  const each = rowsPerChunk(columns);
  run(rowDotJob, (rows + each - 1) / each);
}

export function rowDotChunk(chunk: i32): void {
  const columns = size(4);
  const each = rowsPerChunk(columns);
  const first = chunk * each;
  const at = <usize>first * ((<usize>columns) << 2);
  rowDotRange(
    argument(0) + at,
    argument(1) + at,
    argument(2) + ((<usize>first) << 2),
    min(each, size(3) - first),
    columns,
  );
}

function rowDotRange(a: usize, b: usize, out: usize, rows: i32, columns: i32): void {
  const bytes = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++, out += 4, a += bytes, b += bytes) store<f32>(out, <f32>dot(a, b, columns));
}

function sum(x: usize, length: i32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let i = 0;
  for (; i + 8 <= length; i += 8, x += 32) {
    const first = v128.load(x);
    const second = v128.load(x, 16);
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(first));
    s1 = f64x2.add(s1, widenHigh(first));
    s2 = f64x2.add(s2, f64x2.promote_low_f32x4(second));
    s3 = f64x2.add(s3, widenHigh(second));
  }
  s0 = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  let total = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (; i < length; i++, x += 4) total += <f64>load<f32>(x);
  return total;
}

function dot(x: usize, y: usize, length: i32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let i = 0;
  for (; i + 8 <= length; i += 8, x += 32, y += 32) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const y0 = v128.load(y);
    const y1 = v128.load(y, 16);
    s0 = f64x2.add(s0, f64x2.mul(f64x2.promote_low_f32x4(x0), f64x2.promote_low_f32x4(y0)));
    s1 = f64x2.add(s1, f64x2.mul(widenHigh(x0), widenHigh(y0)));
    s2 = f64x2.add(s2, f64x2.mul(f64x2.promote_low_f32x4(x1), f64x2.promote_low_f32x4(y1)));
    s3 = f64x2.add(s3, f64x2.mul(widenHigh(x1), widenHigh(y1)));
  }
  s0 = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  let total = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (; i < length; i++, x += 4, y += 4) total += <f64>load<f32>(x) * <f64>load<f32>(y);
  return total;
}

function largest(x: usize, length: i32): f32 {
  // A maximum that keeps NaN takes several instructions, so four of them go side by side.
  let vector = f32x4.splat(-Infinity);
  let second = vector;
  let third = vector;
  let fourth = vector;
  let i = 0;
  for (; i + 16 <= length; i += 16, x += 64) {
    vector = f32x4.max(vector, v128.load(x));
    second = f32x4.max(second, v128.load(x, 16));
    third = f32x4.max(third, v128.load(x, 32));
    fourth = f32x4.max(fourth, v128.load(x, 48));
  }
  vector = f32x4.max(f32x4.max(vector, second), f32x4.max(third, fourth));
  for (; i + 4 <= length; i += 4, x += 16) vector = f32x4.max(vector, v128.load(x));
  let result = max(
    max(f32x4.extract_lane(vector, 0), f32x4.extract_lane(vector, 1)),
    max(f32x4.extract_lane(vector, 2), f32x4.extract_lane(vector, 3)),
  );
  for (; i < length; i++, x += 4) result = max(result, load<f32>(x));
  return result;
}

/** Whole cache lines. */
function columnsPerChunk(rows: i32): i32 {
  return max(16, (chunkNumbers / max(1, rows)) & ~15);
}

/** out_j = ⊕ᵢ x_ij, cut into columns. */
export function reduceColumns(operation: i32, x: usize, rows: i32, columns: i32, out: usize): void {
  setArgument(0, operation);
  setArgument(1, x);
  setArgument(2, rows);
  setArgument(3, columns);
  setArgument(4, out);
  const each = columnsPerChunk(rows);
  run(reduceColumnsJob, (columns + each - 1) / each);
}

export function reduceColumnsChunk(chunk: i32): void {
  const columns = size(3);
  const each = columnsPerChunk(size(2));
  const first = chunk * each;
  const at = (<usize>first) << 2;
  reduceColumnRange(
    size(0),
    argument(1) + at,
    size(2),
    min(each, columns - first),
    (<usize>columns) << 2,
    argument(4) + at,
  );
}

/** Eight columns at a time down all rows, which are `stride` bytes apart; maxima and the last ones by fours. */
function reduceColumnRange(operation: i32, x: usize, rows: i32, columns: i32, stride: usize, out: usize): void {
  let j = 0;
  if (operation != 2)
    for (; j + 8 <= columns; j += 8, x += 32, out += 32) addEightColumns(operation, x, rows, stride, out);
  for (; j < columns; j += 4, x += 16, out += 16) {
    let result: v128;
    if (operation == 2) {
      result = f32x4.splat(-Infinity);
      for (let row = 0, at = x; row < rows; row++, at += stride) result = f32x4.max(result, v128.load(at));
    } else {
      let s0 = f64x2.splat(0);
      let s1 = s0;
      for (let row = 0, at = x; row < rows; row++, at += stride) {
        const value = v128.load(at);
        const x0 = f64x2.promote_low_f32x4(value);
        const x1 = widenHigh(value);
        s0 = f64x2.add(s0, operation == 1 ? f64x2.mul(x0, x0) : x0);
        s1 = f64x2.add(s1, operation == 1 ? f64x2.mul(x1, x1) : x1);
      }
      result = narrow(s0, s1);
    }
    if (j + 4 <= columns) v128.store(out, result);
    else storePart(out, result, columns - j);
  }
}

function addEightColumns(operation: i32, x: usize, rows: i32, stride: usize, out: usize): void {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let row = 0; row < rows; row++, x += stride) {
    const first = v128.load(x);
    const second = v128.load(x, 16);
    let x0 = f64x2.promote_low_f32x4(first);
    let x1 = widenHigh(first);
    let x2 = f64x2.promote_low_f32x4(second);
    let x3 = widenHigh(second);
    if (operation == 1) {
      x0 = f64x2.mul(x0, x0);
      x1 = f64x2.mul(x1, x1);
      x2 = f64x2.mul(x2, x2);
      x3 = f64x2.mul(x3, x3);
    }
    s0 = f64x2.add(s0, x0);
    s1 = f64x2.add(s1, x1);
    s2 = f64x2.add(s2, x2);
    s3 = f64x2.add(s3, x3);
  }
  v128.store(out, narrow(s0, s1));
  v128.store(out, narrow(s2, s3), 16);
}

function narrow(low: v128, high: v128): v128 {
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}
