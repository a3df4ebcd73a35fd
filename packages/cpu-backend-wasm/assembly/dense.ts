/**
 * Kernels of one pass over a matrix: fill, copies, sums with a factor, and the mirror image that ends a symmetric
 * update.
 */
import { addScaled, widenHigh } from './accumulate';
import { storePart } from './partial-vector';

export function fill(value: f32, out: usize, length: i32): void {
  const vector = f32x4.splat(value);
  const end = out + ((<usize>(length & ~3)) << 2);
  for (; out < end; out += 16) v128.store(out, vector);
  storePart(out, vector, length & 3);
}

/** out += alpha·x. */
export function axpyRange(alpha: f32, x: usize, out: usize, length: i32): void {
  const factor = f32x4.splat(alpha);
  const end = out + ((<usize>(length & ~3)) << 2);
  for (; out < end; out += 16, x += 16) v128.store(out, f32x4.add(v128.load(out), f32x4.mul(factor, v128.load(x))));
  storePart(out, f32x4.add(v128.load(out), f32x4.mul(factor, v128.load(x))), length & 3);
}

/**
 * out = scale·x + shift, in f64 and rounded once: a scale near 1 is applied again and again (weight decay, (1 − 10⁻⁴)
 * at every step), and its own rounding to f32 would be a bias that grows with the steps.
 */
export function affineRange(x: usize, scale: f64, shift: f64, out: usize, length: i32): void {
  const factor = f64x2.splat(scale);
  const offset = f64x2.splat(shift);
  const end = out + ((<usize>(length & ~3)) << 2);
  for (; out < end; out += 16, x += 16) v128.store(out, affineVector(v128.load(x), factor, offset));
  if (length & 3) storePart(out, affineVector(v128.load(x), factor, offset), length & 3);
}

function affineVector(x: v128, factor: v128, offset: v128): v128 {
  const low = f64x2.add(f64x2.mul(factor, f64x2.promote_low_f32x4(x)), offset);
  const high = f64x2.add(f64x2.mul(factor, widenHigh(x)), offset);
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

/** `count` columns of every row; strides in numbers. */
export function copyColumns(source: usize, sourceStride: i32, out: usize, outStride: i32, rows: i32, count: i32): void {
  const whole = (<usize>(count & ~3)) << 2;
  for (let row = 0; row < rows; row++, source += (<usize>sourceStride) << 2, out += (<usize>outStride) << 2) {
    for (let j: usize = 0; j < whole; j += 16) v128.store(out + j, v128.load(source + j));
    if (count & 3) storePart(out + whole, v128.load(source + whole), count & 3);
  }
}

export function addDiagonal(value: f64, out: usize, n: i32): void {
  for (let i = 0; i < n; i++, out += (<usize>n + 1) << 2) store<f32>(out, <f32>(<f64>load<f32>(out) + value));
}

/**
 * Rows first to last−1 of out = alpha·(p + pᵀ) + beta·out for p and out n×n, up to the diagonal and with their mirror
 * image, in 4×4 blocks; beta 0 never reads out. `first` is a multiple of four, `last` too unless it is n.
 */
export function mirrorAddRows(p: usize, out: usize, n: i32, first: i32, last: i32, alpha: f32, beta: f64): void {
  const stride = (<usize>n) << 2;
  const whole = last & ~3;
  for (let i = first; i < whole; i += 4) {
    for (let j = 0; j <= i; j += 4) {
      const here = <usize>i * stride + ((<usize>j) << 2);
      const there = <usize>j * stride + ((<usize>i) << 2);
      mirrorBlock(p + here, p + there, out + here, out + there, stride, alpha, beta, i == j);
    }
  }
  for (let i = whole; i < last; i++) {
    for (let j = 0; j <= i; j++) {
      const here = <usize>i * stride + ((<usize>j) << 2);
      const there = <usize>j * stride + ((<usize>i) << 2);
      const sum = alpha * (load<f32>(p + here) + load<f32>(p + there));
      if (i != j) store<f32>(out + there, beta == 0 ? sum : <f32>(beta * <f64>load<f32>(out + there) + <f64>sum));
      store<f32>(out + here, beta == 0 ? sum : <f32>(beta * <f64>load<f32>(out + here) + <f64>sum));
    }
  }
}

function mirrorBlock(
  p: usize,
  q: usize,
  out: usize,
  mirror: usize,
  stride: usize,
  alpha: f32,
  beta: f64,
  diagonal: bool,
): void {
  const x0 = v128.load(q);
  const x1 = v128.load(q + stride);
  const x2 = v128.load(q + 2 * stride);
  const x3 = v128.load(q + 3 * stride);
  let y0 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5);
  let y1 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5);
  let y2 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
  let y3 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
  const factor = f32x4.splat(alpha);
  const s0 = f32x4.mul(factor, f32x4.add(v128.load(p), v128.shuffle<f64>(y0, y1, 0, 2)));
  const s1 = f32x4.mul(factor, f32x4.add(v128.load(p + stride), v128.shuffle<f64>(y0, y1, 1, 3)));
  const s2 = f32x4.mul(factor, f32x4.add(v128.load(p + 2 * stride), v128.shuffle<f64>(y2, y3, 0, 2)));
  const s3 = f32x4.mul(factor, f32x4.add(v128.load(p + 3 * stride), v128.shuffle<f64>(y2, y3, 1, 3)));
  accumulate(out, s0, beta);
  accumulate(out + stride, s1, beta);
  accumulate(out + 2 * stride, s2, beta);
  accumulate(out + 3 * stride, s3, beta);
  if (diagonal) return;
  y0 = v128.shuffle<f32>(s0, s1, 0, 4, 1, 5);
  y1 = v128.shuffle<f32>(s2, s3, 0, 4, 1, 5);
  y2 = v128.shuffle<f32>(s0, s1, 2, 6, 3, 7);
  y3 = v128.shuffle<f32>(s2, s3, 2, 6, 3, 7);
  accumulate(mirror, v128.shuffle<f64>(y0, y1, 0, 2), beta);
  accumulate(mirror + stride, v128.shuffle<f64>(y0, y1, 1, 3), beta);
  accumulate(mirror + 2 * stride, v128.shuffle<f64>(y2, y3, 0, 2), beta);
  accumulate(mirror + 3 * stride, v128.shuffle<f64>(y2, y3, 1, 3), beta);
}

function accumulate(out: usize, sum: v128, beta: f64): void {
  v128.store(out, beta == 0 ? sum : addScaled(sum, beta, v128.load(out)));
}
