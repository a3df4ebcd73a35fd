/**
 * The triangles on the diagonal, for a strip of four right-hand sides (x rows of 32 bytes): four rows with all numbers in registers.
 * Fewer rows, which come once a strip, go one by one.
 */
import { subtractRow } from './solve-product';

/** x = L⁻¹x for a unit lower triangle with rows of `stride` bytes. */
export function solveLower(rows: i32, triangle: usize, stride: usize, x: usize): void {
  if (rows < 4) {
    for (let i = 1; i < rows; i++) {
      for (let k = 0; k < i; k++) {
        subtractRow(x + (<usize>i << 5), x + (<usize>k << 5), load<f64>(triangle + <usize>i * stride + (<usize>k << 3)), 4);
      }
    }
    return;
  }
  const r1 = triangle + stride;
  const r2 = r1 + stride;
  const r3 = r2 + stride;
  const x00 = v128.load(x);
  const x01 = v128.load(x, 16);
  let x10 = v128.load(x, 32);
  let x11 = v128.load(x, 48);
  let x20 = v128.load(x, 64);
  let x21 = v128.load(x, 80);
  let x30 = v128.load(x, 96);
  let x31 = v128.load(x, 112);
  let t: v128;
  t = v128.load_splat<f64>(r1);
  x10 = f64x2.sub(x10, f64x2.mul(t, x00));
  x11 = f64x2.sub(x11, f64x2.mul(t, x01));
  t = v128.load_splat<f64>(r2);
  x20 = f64x2.sub(x20, f64x2.mul(t, x00));
  x21 = f64x2.sub(x21, f64x2.mul(t, x01));
  t = v128.load_splat<f64>(r2, 8);
  x20 = f64x2.sub(x20, f64x2.mul(t, x10));
  x21 = f64x2.sub(x21, f64x2.mul(t, x11));
  t = v128.load_splat<f64>(r3);
  x30 = f64x2.sub(x30, f64x2.mul(t, x00));
  x31 = f64x2.sub(x31, f64x2.mul(t, x01));
  t = v128.load_splat<f64>(r3, 8);
  x30 = f64x2.sub(x30, f64x2.mul(t, x10));
  x31 = f64x2.sub(x31, f64x2.mul(t, x11));
  t = v128.load_splat<f64>(r3, 16);
  x30 = f64x2.sub(x30, f64x2.mul(t, x20));
  x31 = f64x2.sub(x31, f64x2.mul(t, x21));
  v128.store(x, x10, 32);
  v128.store(x, x11, 48);
  v128.store(x, x20, 64);
  v128.store(x, x21, 80);
  v128.store(x, x30, 96);
  v128.store(x, x31, 112);
}

/** x = U⁻¹x for an upper triangle. */
export function solveUpper(rows: i32, triangle: usize, stride: usize, x: usize): void {
  if (rows < 4) {
    for (let i = rows - 1; i >= 0; i--) {
      const row = triangle + <usize>i * stride;
      const at = x + (<usize>i << 5);
      for (let k = i + 1; k < rows; k++) subtractRow(at, x + (<usize>k << 5), load<f64>(row + (<usize>k << 3)), 4);
      const diagonal = v128.load_splat<f64>(row + (<usize>i << 3));
      v128.store(at, f64x2.div(v128.load(at), diagonal));
      v128.store(at, f64x2.div(v128.load(at, 16), diagonal), 16);
    }
    return;
  }
  const r0 = triangle;
  const r1 = r0 + stride;
  const r2 = r1 + stride;
  const r3 = r2 + stride;
  let x00 = v128.load(x);
  let x01 = v128.load(x, 16);
  let x10 = v128.load(x, 32);
  let x11 = v128.load(x, 48);
  let x20 = v128.load(x, 64);
  let x21 = v128.load(x, 80);
  let x30 = v128.load(x, 96);
  let x31 = v128.load(x, 112);
  let t: v128;
  t = v128.load_splat<f64>(r3, 24);
  x30 = f64x2.div(x30, t);
  x31 = f64x2.div(x31, t);
  t = v128.load_splat<f64>(r2, 24);
  x20 = f64x2.sub(x20, f64x2.mul(t, x30));
  x21 = f64x2.sub(x21, f64x2.mul(t, x31));
  t = v128.load_splat<f64>(r2, 16);
  x20 = f64x2.div(x20, t);
  x21 = f64x2.div(x21, t);
  t = v128.load_splat<f64>(r1, 24);
  x10 = f64x2.sub(x10, f64x2.mul(t, x30));
  x11 = f64x2.sub(x11, f64x2.mul(t, x31));
  t = v128.load_splat<f64>(r1, 16);
  x10 = f64x2.sub(x10, f64x2.mul(t, x20));
  x11 = f64x2.sub(x11, f64x2.mul(t, x21));
  t = v128.load_splat<f64>(r1, 8);
  x10 = f64x2.div(x10, t);
  x11 = f64x2.div(x11, t);
  t = v128.load_splat<f64>(r0, 24);
  x00 = f64x2.sub(x00, f64x2.mul(t, x30));
  x01 = f64x2.sub(x01, f64x2.mul(t, x31));
  t = v128.load_splat<f64>(r0, 16);
  x00 = f64x2.sub(x00, f64x2.mul(t, x20));
  x01 = f64x2.sub(x01, f64x2.mul(t, x21));
  t = v128.load_splat<f64>(r0, 8);
  x00 = f64x2.sub(x00, f64x2.mul(t, x10));
  x01 = f64x2.sub(x01, f64x2.mul(t, x11));
  t = v128.load_splat<f64>(r0);
  x00 = f64x2.div(x00, t);
  x01 = f64x2.div(x01, t);
  v128.store(x, x00);
  v128.store(x, x01, 16);
  v128.store(x, x10, 32);
  v128.store(x, x11, 48);
  v128.store(x, x20, 64);
  v128.store(x, x21, 80);
  v128.store(x, x30, 96);
  v128.store(x, x31, 112);
}
