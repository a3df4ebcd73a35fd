/** out = a·b, a m×k, b k×n: the versions that need no packing, and the one that ships, packing included. */
import { gemm } from '@vastmax/cpu-backend-wasm/assembly/gemm';

export function productNaive(m: i32, n: i32, k: i32, a: usize, b: usize, out: usize): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum: f32 = 0;
      for (let p = 0; p < k; p++)
        sum += load<f32>(a + ((<usize>(i * k + p)) << 2)) * load<f32>(b + ((<usize>(p * n + j)) << 2));
      store<f32>(out + ((<usize>(i * n + j)) << 2), sum);
    }
  }
}

/** Row of b after row of b, scaled, into a row of out: everything is read in order, but out again and again. */
export function productByRows(m: i32, n: i32, k: i32, a: usize, b: usize, out: usize): void {
  const stride = (<usize>n) << 2;
  for (let i = 0; i < m; i++, out += stride) {
    memory.fill(out, 0, stride);
    let row = b;
    for (let p = 0; p < k; p++, a += 4, row += stride) {
      const factor = v128.load_splat<f32>(a);
      for (let j: usize = 0; j < stride; j += 16) {
        v128.store(out + j, f32x4.add(v128.load(out + j), f32x4.mul(factor, v128.load(row + j))));
      }
    }
  }
}

/** Tiles of 4×8 over a and b as they lie. */
export function productUnpacked(m: i32, n: i32, k: i32, a: usize, b: usize, out: usize): void {
  const stride = (<usize>n) << 2;
  const depth = (<usize>k) << 2;
  for (let j: usize = 0; j < stride; j += 32) {
    for (let i = 0; i < m; i += 4) {
      let a0 = a + <usize>i * depth;
      let from = b + j;
      let c00 = f32x4.splat(0);
      let c01 = c00;
      let c10 = c00;
      let c11 = c00;
      let c20 = c00;
      let c21 = c00;
      let c30 = c00;
      let c31 = c00;
      for (const end = a0 + depth; a0 < end; a0 += 4, from += stride) {
        const b0 = v128.load(from);
        const b1 = v128.load(from, 16);
        let x = v128.load_splat<f32>(a0);
        c00 = f32x4.add(c00, f32x4.mul(x, b0));
        c01 = f32x4.add(c01, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a0 + depth);
        c10 = f32x4.add(c10, f32x4.mul(x, b0));
        c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a0 + 2 * depth);
        c20 = f32x4.add(c20, f32x4.mul(x, b0));
        c21 = f32x4.add(c21, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a0 + 3 * depth);
        c30 = f32x4.add(c30, f32x4.mul(x, b0));
        c31 = f32x4.add(c31, f32x4.mul(x, b1));
      }
      const at = out + <usize>i * stride + j;
      v128.store(at, c00);
      v128.store(at, c01, 16);
      v128.store(at + stride, c10);
      v128.store(at + stride, c11, 16);
      v128.store(at + 2 * stride, c20);
      v128.store(at + 2 * stride, c21, 16);
      v128.store(at + 3 * stride, c30);
      v128.store(at + 3 * stride, c31, 16);
    }
  }
}

export function productShipped(m: i32, n: i32, k: i32, a: usize, b: usize, out: usize, scratch: usize): void {
  gemm(m, n, k, a, b, out, 0, 0, 1, 0, scratch);
}
