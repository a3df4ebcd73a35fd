/**
 * The triangles on the diagonal, for one strip of right-hand sides (x rows of 32 bytes): four rows with all numbers in
 * registers. Fewer rows, which come once a strip, go one by one.
 */
import { subtractRow } from './solve-product';

/** x = L⁻¹x for a unit lower triangle with rows of `stride` bytes. */
export function solveLower<T>(rows: i32, triangle: usize, stride: usize, x: usize): void {
  if (rows < 4) {
    for (let i = 1; i < rows; i++) {
      for (let k = 0; k < i; k++) {
        subtractRow<T>(
          x + ((<usize>i) << 5),
          x + ((<usize>k) << 5),
          load<T>(triangle + <usize>i * stride + ((<usize>k) << alignof<T>())),
          32,
        );
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
  t = v128.load_splat<T>(r1);
  x10 = v128.sub<T>(x10, v128.mul<T>(t, x00));
  x11 = v128.sub<T>(x11, v128.mul<T>(t, x01));
  t = v128.load_splat<T>(r2);
  x20 = v128.sub<T>(x20, v128.mul<T>(t, x00));
  x21 = v128.sub<T>(x21, v128.mul<T>(t, x01));
  t = v128.load_splat<T>(r2, sizeof<T>());
  x20 = v128.sub<T>(x20, v128.mul<T>(t, x10));
  x21 = v128.sub<T>(x21, v128.mul<T>(t, x11));
  t = v128.load_splat<T>(r3);
  x30 = v128.sub<T>(x30, v128.mul<T>(t, x00));
  x31 = v128.sub<T>(x31, v128.mul<T>(t, x01));
  t = v128.load_splat<T>(r3, sizeof<T>());
  x30 = v128.sub<T>(x30, v128.mul<T>(t, x10));
  x31 = v128.sub<T>(x31, v128.mul<T>(t, x11));
  t = v128.load_splat<T>(r3, 2 * sizeof<T>());
  x30 = v128.sub<T>(x30, v128.mul<T>(t, x20));
  x31 = v128.sub<T>(x31, v128.mul<T>(t, x21));
  v128.store(x, x10, 32);
  v128.store(x, x11, 48);
  v128.store(x, x20, 64);
  v128.store(x, x21, 80);
  v128.store(x, x30, 96);
  v128.store(x, x31, 112);
}

/** x = U⁻¹x for an upper triangle. */
export function solveUpper<T>(rows: i32, triangle: usize, stride: usize, x: usize): void {
  if (rows < 4) {
    for (let i = rows - 1; i >= 0; i--) {
      const row = triangle + <usize>i * stride;
      const at = x + ((<usize>i) << 5);
      for (let k = i + 1; k < rows; k++)
        subtractRow<T>(at, x + ((<usize>k) << 5), load<T>(row + ((<usize>k) << alignof<T>())), 32);
      const diagonal = v128.load_splat<T>(row + ((<usize>i) << alignof<T>()));
      v128.store(at, v128.div<T>(v128.load(at), diagonal));
      v128.store(at, v128.div<T>(v128.load(at, 16), diagonal), 16);
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
  t = v128.load_splat<T>(r3, 3 * sizeof<T>());
  x30 = v128.div<T>(x30, t);
  x31 = v128.div<T>(x31, t);
  t = v128.load_splat<T>(r2, 3 * sizeof<T>());
  x20 = v128.sub<T>(x20, v128.mul<T>(t, x30));
  x21 = v128.sub<T>(x21, v128.mul<T>(t, x31));
  t = v128.load_splat<T>(r2, 2 * sizeof<T>());
  x20 = v128.div<T>(x20, t);
  x21 = v128.div<T>(x21, t);
  t = v128.load_splat<T>(r1, 3 * sizeof<T>());
  x10 = v128.sub<T>(x10, v128.mul<T>(t, x30));
  x11 = v128.sub<T>(x11, v128.mul<T>(t, x31));
  t = v128.load_splat<T>(r1, 2 * sizeof<T>());
  x10 = v128.sub<T>(x10, v128.mul<T>(t, x20));
  x11 = v128.sub<T>(x11, v128.mul<T>(t, x21));
  t = v128.load_splat<T>(r1, sizeof<T>());
  x10 = v128.div<T>(x10, t);
  x11 = v128.div<T>(x11, t);
  t = v128.load_splat<T>(r0, 3 * sizeof<T>());
  x00 = v128.sub<T>(x00, v128.mul<T>(t, x30));
  x01 = v128.sub<T>(x01, v128.mul<T>(t, x31));
  t = v128.load_splat<T>(r0, 2 * sizeof<T>());
  x00 = v128.sub<T>(x00, v128.mul<T>(t, x20));
  x01 = v128.sub<T>(x01, v128.mul<T>(t, x21));
  t = v128.load_splat<T>(r0, sizeof<T>());
  x00 = v128.sub<T>(x00, v128.mul<T>(t, x10));
  x01 = v128.sub<T>(x01, v128.mul<T>(t, x11));
  t = v128.load_splat<T>(r0);
  x00 = v128.div<T>(x00, t);
  x01 = v128.div<T>(x01, t);
  v128.store(x, x00);
  v128.store(x, x01, 16);
  v128.store(x, x10, 32);
  v128.store(x, x11, 48);
  v128.store(x, x20, 64);
  v128.store(x, x21, 80);
  v128.store(x, x30, 96);
  v128.store(x, x31, 112);
}
