/** out_j = Σᵢ x_ij, summed in f64; columns are a multiple of eight. */
import { widenHigh } from '@vastmax/cpu-backend-wasm/assembly/accumulate';
import { reduceColumns } from '@vastmax/cpu-backend-wasm/assembly/reduce';

export function columnSumNaive(x: usize, out: usize, rows: i32, columns: i32): void {
  for (let j = 0; j < columns; j++, x += 4, out += 4) {
    let sum: f64 = 0;
    for (let i = 0; i < rows; i++) sum += <f64>load<f32>(x + ((<usize>(i * columns)) << 2));
    store<f32>(out, <f32>sum);
  }
}

/** Four columns down all rows: a quarter of each cache line is used before it goes. */
export function columnSumFour(x: usize, out: usize, rows: i32, columns: i32): void {
  const stride = (<usize>columns) << 2;
  for (let j = 0; j < columns; j += 4, x += 16, out += 16) {
    let s0 = f64x2.splat(0);
    let s1 = s0;
    for (let i = 0, at = x; i < rows; i++, at += stride) {
      const value = v128.load(at);
      s0 = f64x2.add(s0, f64x2.promote_low_f32x4(value));
      s1 = f64x2.add(s1, widenHigh(value));
    }
    v128.store(out, v128.shuffle<f32>(f32x4.demote_f64x2_zero(s0), f32x4.demote_f64x2_zero(s1), 0, 1, 4, 5));
  }
}

/** Eight columns down all rows: four sums. */
export function columnSumEight(x: usize, out: usize, rows: i32, columns: i32): void {
  const stride = (<usize>columns) << 2;
  for (let j = 0; j < columns; j += 8, x += 32, out += 32) {
    let s0 = f64x2.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let i = 0, at = x; i < rows; i++, at += stride) {
      const first = v128.load(at);
      const second = v128.load(at, 16);
      s0 = f64x2.add(s0, f64x2.promote_low_f32x4(first));
      s1 = f64x2.add(s1, widenHigh(first));
      s2 = f64x2.add(s2, f64x2.promote_low_f32x4(second));
      s3 = f64x2.add(s3, widenHigh(second));
    }
    v128.store(out, v128.shuffle<f32>(f32x4.demote_f64x2_zero(s0), f32x4.demote_f64x2_zero(s1), 0, 1, 4, 5));
    v128.store(out, v128.shuffle<f32>(f32x4.demote_f64x2_zero(s2), f32x4.demote_f64x2_zero(s3), 0, 1, 4, 5), 16);
  }
}

export function columnSumShipped(x: usize, out: usize, rows: i32, columns: i32): void {
  reduceColumns(0, x, rows, columns, out);
}
