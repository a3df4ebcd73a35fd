/**
 * The numerators of a softmax: a row is read for its maximum, and while it is in the cache replaced by its exponentials
 * and summed: in f32 for some numbers, in f64 over all.
 */
import { widenHigh } from './accumulate';
import { exp4 } from './functions';
import { argument, constantsAt, exponentiateRowsJob, setArgument, size } from './job';
import { storePart } from './partial-vector';
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
  setConstants();
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
    const maximum = maximumOf(x, columns);
    store<f32>(argument(3) + at, maximum);
    store<f32>(argument(4) + at, <f32>exponentiate(x, columns, maximum));
  }
}

/**
 * As `largest` of reduce.ts, whose chain of dependent maxima takes as long as the exponentials: four chains here. NaN also
 * for infinities of both signs, of which a softmax makes NaN too, so that `largest` cannot be this.
 */
export function maximumOf(x: usize, length: i32): f32 {
  let m0 = f32x4.splat(-Infinity);
  let m1 = m0;
  let m2 = m0;
  let m3 = m0;
  let unordered = i32x4.splat(0);
  let i = 0;
  for (; i + 16 <= length; i += 16, x += 64) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const x2 = v128.load(x, 32);
    const x3 = v128.load(x, 48);
    // The pseudo-maximum is one instruction and drops a NaN, which is looked for apart from it.
    m0 = f32x4.pmax(m0, x0);
    m1 = f32x4.pmax(m1, x1);
    m2 = f32x4.pmax(m2, x2);
    m3 = f32x4.pmax(m3, x3);
    unordered = v128.or(unordered, v128.or(isUnordered(x0, x1), isUnordered(x2, x3)));
  }
  m0 = f32x4.max(f32x4.max(m0, m1), f32x4.max(m2, m3));
  let result = max(
    max(f32x4.extract_lane(m0, 0), f32x4.extract_lane(m0, 1)),
    max(f32x4.extract_lane(m0, 2), f32x4.extract_lane(m0, 3)),
  );
  for (; i < length; i++, x += 4) result = max(result, load<f32>(x));
  return v128.any_true(unordered) ? NaN : result;
}

/** A lane is all ones where the sum of the two is NaN: where one of them is, or they are infinities of both signs. */
function isUnordered(x: v128, y: v128): v128 {
  const sum = f32x4.add(x, y);
  return f32x4.ne(sum, sum);
}

/** Numbers whose exponentials are summed in f32 before the sum is widened. */
const numbersPerSum: i32 = 64;

/**
 * x = exp(x - maximum); returns the sum. The exponential is that of functions.ts for what is up to 0, with one power of
 * two, which is 0 below the smallest normal number. Two vectors at a time share the constants, which are read from
 * memory: an engine makes a constant of a vector anew at each use, by three instructions, and there are thirteen.
 */
export function exponentiate(x: usize, length: i32, maximum: f32): f64 {
  const shift = f32x4.splat(maximum);
  let low = f64x2.splat(0);
  let high = low;
  let i = 0;
  while (i + 8 <= length) {
    let sum = f32x4.splat(0);
    for (const end = min(length - 7, i + numbersPerSum); i < end; i += 8, x += 32) {
      const lowest = constant(0);
      const limitedA = f32x4.pmax(f32x4.sub(v128.load(x), shift), lowest);
      const limitedB = f32x4.pmax(f32x4.sub(v128.load(x, 16), shift), lowest);
      const log2e = constant(1);
      const rounding = constant(2);
      const shiftedA = f32x4.add(f32x4.mul(limitedA, log2e), rounding);
      const shiftedB = f32x4.add(f32x4.mul(limitedB, log2e), rounding);
      const nA = f32x4.sub(shiftedA, rounding);
      const nB = f32x4.sub(shiftedB, rounding);
      const ln2High = constant(3);
      const ln2Low = constant(4);
      const rA = f32x4.sub(f32x4.sub(limitedA, f32x4.mul(nA, ln2High)), f32x4.mul(nA, ln2Low));
      const rB = f32x4.sub(f32x4.sub(limitedB, f32x4.mul(nB, ln2High)), f32x4.mul(nB, ln2Low));
      const squareA = f32x4.mul(rA, rA);
      const squareB = f32x4.mul(rB, rB);
      const third = constant(5);
      const third1 = constant(6);
      let tailA = f32x4.mul(squareA, f32x4.add(third, f32x4.mul(rA, third1)));
      let tailB = f32x4.mul(squareB, f32x4.add(third, f32x4.mul(rB, third1)));
      const second = constant(7);
      const second1 = constant(8);
      tailA = f32x4.mul(squareA, f32x4.add(f32x4.add(second, f32x4.mul(rA, second1)), tailA));
      tailB = f32x4.mul(squareB, f32x4.add(f32x4.add(second, f32x4.mul(rB, second1)), tailB));
      const first = constant(9);
      const first1 = constant(10);
      tailA = f32x4.mul(squareA, f32x4.add(f32x4.add(first, f32x4.mul(rA, first1)), tailA));
      tailB = f32x4.mul(squareB, f32x4.add(f32x4.add(first, f32x4.mul(rB, first1)), tailB));
      const one = constant(11);
      const bias = constant(12);
      const a = f32x4.mul(f32x4.add(one, f32x4.add(rA, tailA)), i32x4.shl(i32x4.add(shiftedA, bias), 23));
      const b = f32x4.mul(f32x4.add(one, f32x4.add(rB, tailB)), i32x4.shl(i32x4.add(shiftedB, bias), 23));
      v128.store(x, a);
      v128.store(x, b, 16);
      sum = f32x4.add(sum, f32x4.add(a, b));
    }
    low = f64x2.add(low, f64x2.promote_low_f32x4(sum));
    high = f64x2.add(high, widenHigh(sum));
  }
  low = f64x2.add(low, high);
  let total = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1);
  for (; i < length; i += 4, x += 16) {
    const values = exp4(f32x4.sub(v128.load(x), shift));
    const count = min(4, length - i);
    if (count == 4) v128.store(x, values);
    else storePart(x, values, count);
    for (let lane = 0; lane < count; lane++) total += <f64>load<f32>(x + ((<usize>lane) << 2));
  }
  return total;
}

function constant(index: usize): v128 {
  return v128.load(constantsAt + (index << 4));
}

/** Of `exponentiate`; before its job runs. */
export function setConstants(): void {
  setConstant(0, -88);
  setConstant(1, 1.4426950408889634);
  setConstant(2, 12582912);
  setConstant(3, 0.693359375);
  setConstant(4, -2.1219444005469057e-4);
  setConstant(5, 1.0 / 720.0);
  setConstant(6, 1.0 / 5040.0);
  setConstant(7, 1.0 / 24.0);
  setConstant(8, 1.0 / 120.0);
  setConstant(9, 1.0 / 2.0);
  setConstant(10, 1.0 / 6.0);
  setConstant(11, 1);
  v128.store(constantsAt + (12 << 4), i32x4.splat(127 - 0x4b400000));
}

function setConstant(index: usize, value: f32): void {
  v128.store(constantsAt + (index << 4), f32x4.splat(value));
}
