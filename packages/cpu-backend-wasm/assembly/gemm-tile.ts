/**
 * A 4×8 block of the product in eight vectors. Each step along the depth loads two vectors of b and splats four numbers of a for sixteen
 * multiply-adds: enough independent sums to hide the latency, and few enough to stay in the sixteen registers of x86-64.
 * Rejected: two or four steps written out, which V8 (Node 20) schedules into spilling registers: 33 GFLOP/s instead of 54.
 */
import { addScaled } from './accumulate';
import { storePart } from './partial-vector';

export function multiplyTile(
  depth: i32,
  a: usize,
  b: usize,
  alpha: f32,
  beta: f64,
  out: usize,
  stride: usize,
  rows: i32,
  columns: i32,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  let b0: v128;
  let b1: v128;
  let x: v128;
  const end = a + (<usize>depth << 4);
  for (; a < end; a += 16, b += 32) {
    b0 = v128.load(b);
    b1 = v128.load(b, 16);
    x = v128.load_splat<f32>(a);
    c00 = f32x4.add(c00, f32x4.mul(x, b0));
    c01 = f32x4.add(c01, f32x4.mul(x, b1));
    x = v128.load_splat<f32>(a, 4);
    c10 = f32x4.add(c10, f32x4.mul(x, b0));
    c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load_splat<f32>(a, 8);
    c20 = f32x4.add(c20, f32x4.mul(x, b0));
    c21 = f32x4.add(c21, f32x4.mul(x, b1));
    x = v128.load_splat<f32>(a, 12);
    c30 = f32x4.add(c30, f32x4.mul(x, b0));
    c31 = f32x4.add(c31, f32x4.mul(x, b1));
  }
  storeRow(c00, c01, alpha, beta, out, columns);
  if (rows > 1) storeRow(c10, c11, alpha, beta, out + stride, columns);
  if (rows > 2) storeRow(c20, c21, alpha, beta, out + 2 * stride, columns);
  if (rows > 3) storeRow(c30, c31, alpha, beta, out + 3 * stride, columns);
}

/** beta 0 does not read out: 0·NaN would be NaN. */
function storeRow(c0: v128, c1: v128, alpha: f32, beta: f64, out: usize, columns: i32): void {
  const factor = f32x4.splat(alpha);
  c0 = f32x4.mul(factor, c0);
  c1 = f32x4.mul(factor, c1);
  if (beta != 0) {
    c0 = addScaled(c0, beta, v128.load(out));
    c1 = addScaled(c1, beta, v128.load(out, 16));
  }
  if (columns >= 8) {
    v128.store(out, c0);
    v128.store(out, c1, 16);
  } else if (columns >= 4) {
    v128.store(out, c0);
    storePart(out + 16, c1, columns - 4);
  } else {
    storePart(out, c0, columns);
  }
}
