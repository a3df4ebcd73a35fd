/**
 * Reductions and row dot products. Sums are kept in f64, which is what makes long f32 sums usable; the numbers are widened two at a time.
 * Numbers: sum 0, sumSquares 1, maximum 2 (src/kernels.ts). The vector maximum of WebAssembly keeps NaN, so a poisoned row stays visible.
 */
import { widenHigh } from './accumulate';
import { storePart } from './partial-vector';

/** out_i = ⊕ⱼ x_ij; the whole matrix is one row of rows·columns numbers. */
export function reduceRows(operation: i32, x: usize, rows: i32, columns: i32, out: usize): void {
  for (let row = 0; row < rows; row++, out += 4, x += <usize>columns << 2) {
    if (operation == 2) store<f32>(out, largest(x, columns));
    else store<f32>(out, <f32>(operation == 0 ? sum(x, columns) : dot(x, x, columns)));
  }
}

/** out_i = Σⱼ a_ij·b_ij. */
export function rowDot(a: usize, b: usize, out: usize, rows: i32, columns: i32): void {
  const bytes = <usize>columns << 2;
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
  let vector = f32x4.splat(-Infinity);
  let i = 0;
  for (; i + 4 <= length; i += 4, x += 16) vector = f32x4.max(vector, v128.load(x));
  let result = max(
    max(f32x4.extract_lane(vector, 0), f32x4.extract_lane(vector, 1)),
    max(f32x4.extract_lane(vector, 2), f32x4.extract_lane(vector, 3)),
  );
  for (; i < length; i++, x += 4) result = max(result, load<f32>(x));
  return result;
}

/** out_j = ⊕ᵢ x_ij, four columns at a time down all rows. */
export function reduceColumns(operation: i32, x: usize, rows: i32, columns: i32, out: usize): void {
  const stride = <usize>columns << 2;
  for (let j = 0; j < columns; j += 4, x += 16, out += 16) {
    let result: v128;
    if (operation == 2) {
      result = f32x4.splat(-Infinity);
      for (let row = 0, at = x; row < rows; row++, at += stride) result = f32x4.max(result, v128.load(at));
    } else {
      let s0 = f64x2.splat(0);
      let s1 = s0;
      for (let row = 0, at = x; row < rows; row++, at += stride) {
        const value = v128.load(at);
        let x0 = f64x2.promote_low_f32x4(value);
        let x1 = widenHigh(value);
        if (operation == 1) {
          x0 = f64x2.mul(x0, x0);
          x1 = f64x2.mul(x1, x1);
        }
        s0 = f64x2.add(s0, x0);
        s1 = f64x2.add(s1, x1);
      }
      result = v128.shuffle<f32>(f32x4.demote_f64x2_zero(s0), f32x4.demote_f64x2_zero(s1), 0, 1, 4, 5);
    }
    if (j + 4 <= columns) v128.store(out, result);
    else storePart(out, result, columns - j);
  }
}
