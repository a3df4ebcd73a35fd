/** out_i = Σⱼ x_ij and out_i = Σⱼ x_ij·y_ij, summed in f64; columns are a multiple of eight. */
import { widenHigh } from '@vastmax/cpu-backend-wasm/assembly/accumulate';
import { reduceRows, rowDot } from '@vastmax/cpu-backend-wasm/assembly/reduce';

export function rowSumNaive(x: usize, out: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++, out += 4) {
    let sum: f64 = 0;
    for (let j = 0; j < columns; j++, x += 4) sum += <f64>load<f32>(x);
    store<f32>(out, <f32>sum);
  }
}

/** Two sums: each waits for the addition before it. */
export function rowSumTwo(x: usize, out: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++, out += 4) {
    let low = f64x2.splat(0);
    let high = low;
    for (let j = 0; j < columns; j += 4, x += 16) {
      const value = v128.load(x);
      low = f64x2.add(low, f64x2.promote_low_f32x4(value));
      high = f64x2.add(high, widenHigh(value));
    }
    low = f64x2.add(low, high);
    store<f32>(out, <f32>(f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1)));
  }
}

export function rowSumShipped(x: usize, out: usize, rows: i32, columns: i32): void {
  reduceRows(0, x, rows, columns, out);
}

export function rowDotNaive(x: usize, y: usize, out: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++, out += 4) {
    let sum: f64 = 0;
    for (let j = 0; j < columns; j++, x += 4, y += 4) sum += <f64>load<f32>(x) * <f64>load<f32>(y);
    store<f32>(out, <f32>sum);
  }
}

/** In f32, which is fast and wrong for long rows. */
export function rowDotSingle(x: usize, y: usize, out: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++, out += 4) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    for (let j = 0; j < columns; j += 8, x += 32, y += 32) {
      s0 = f32x4.add(s0, f32x4.mul(v128.load(x), v128.load(y)));
      s1 = f32x4.add(s1, f32x4.mul(v128.load(x, 16), v128.load(y, 16)));
    }
    s0 = f32x4.add(s0, s1);
    store<f32>(
      out,
      f32x4.extract_lane(s0, 0) + f32x4.extract_lane(s0, 1) + (f32x4.extract_lane(s0, 2) + f32x4.extract_lane(s0, 3)),
    );
  }
}

/** Products in f32, sums in f64: half the widening, but a rounding of each product. */
export function rowDotMixed(x: usize, y: usize, out: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++, out += 4) {
    let s0 = f64x2.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let j = 0; j < columns; j += 8, x += 32, y += 32) {
      const first = f32x4.mul(v128.load(x), v128.load(y));
      const second = f32x4.mul(v128.load(x, 16), v128.load(y, 16));
      s0 = f64x2.add(s0, f64x2.promote_low_f32x4(first));
      s1 = f64x2.add(s1, widenHigh(first));
      s2 = f64x2.add(s2, f64x2.promote_low_f32x4(second));
      s3 = f64x2.add(s3, widenHigh(second));
    }
    s0 = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
    store<f32>(out, <f32>(f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1)));
  }
}

export function rowDotShipped(x: usize, y: usize, out: usize, rows: i32, columns: i32): void {
  rowDot(x, y, out, rows, columns);
}
