/**
 * out = a·b from packed panels, by tiles of several shapes; only the tiles are timed. The panels are those of
 * assembly/gemm-pack.ts for groups of as many lanes as the tile is high or wide; m and n are multiples of all of them.
 * "In place" means that a is not packed.
 */
import { multiplyAdd } from '@vastmax/cpu-backend-wasm/assembly/gemm-tile';

/**
 * Groups of `width` lanes, depth-first, from a matrix whose numbers are so many bytes apart along the depth and along
 * the lanes.
 */
export function packGroups(
  source: usize,
  depth: i32,
  lanes: i32,
  alongDepth: usize,
  alongLanes: usize,
  width: i32,
  panel: usize,
): void {
  for (let lane = 0; lane < lanes; lane += width) {
    for (let p = 0; p < depth; p++) {
      for (let t = 0; t < width; t++, panel += 4) {
        store<f32>(panel, load<f32>(source + <usize>p * alongDepth + <usize>(lane + t) * alongLanes));
      }
    }
  }
}

/** 4×4: four sums, too few to hide the latency of the addition. */
function tile4x4(depth: i32, a: usize, b: usize, out: usize, stride: usize): void {
  let c00 = f32x4.splat(0);
  let c10 = c00;
  let c20 = c00;
  let c30 = c00;
  const end = a + <usize>(depth * 16);
  for (; a < end; a += 16, b += 16) {
    const b0 = v128.load(b);
    let x = v128.load_splat<f32>(a);
    c00 = multiplyAdd(x, b0, c00);
    x = v128.load_splat<f32>(a, 4);
    c10 = multiplyAdd(x, b0, c10);
    x = v128.load_splat<f32>(a, 8);
    c20 = multiplyAdd(x, b0, c20);
    x = v128.load_splat<f32>(a, 12);
    c30 = multiplyAdd(x, b0, c30);
  }
  v128.store(out, c00);
  out += stride;
  v128.store(out, c10);
  out += stride;
  v128.store(out, c20);
  out += stride;
  v128.store(out, c30);
}

/** 4×8: eight sums, two loads and four splats. */
function tile4x8(depth: i32, a: usize, b: usize, out: usize, stride: usize): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  const end = a + <usize>(depth * 16);
  for (; a < end; a += 16, b += 32) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load_splat<f32>(a);
    c00 = multiplyAdd(x, b0, c00);
    c01 = multiplyAdd(x, b1, c01);
    x = v128.load_splat<f32>(a, 4);
    c10 = multiplyAdd(x, b0, c10);
    c11 = multiplyAdd(x, b1, c11);
    x = v128.load_splat<f32>(a, 8);
    c20 = multiplyAdd(x, b0, c20);
    c21 = multiplyAdd(x, b1, c21);
    x = v128.load_splat<f32>(a, 12);
    c30 = multiplyAdd(x, b0, c30);
    c31 = multiplyAdd(x, b1, c31);
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  out += stride;
  v128.store(out, c10);
  v128.store(out, c11, 16);
  out += stride;
  v128.store(out, c20);
  v128.store(out, c21, 16);
  out += stride;
  v128.store(out, c30);
  v128.store(out, c31, 16);
}

/** 4×8, two steps of the depth written out, an even depth: V8 (Node 20) spills registers. */
function tile4x8Twice(depth: i32, a: usize, b: usize, out: usize, stride: usize): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  const end = a + <usize>(depth * 16);
  for (; a < end; a += 32, b += 64) {
    const b0_0 = v128.load(b);
    const b1_0 = v128.load(b, 16);
    let x = v128.load_splat<f32>(a);
    c00 = multiplyAdd(x, b0_0, c00);
    c01 = multiplyAdd(x, b1_0, c01);
    x = v128.load_splat<f32>(a, 4);
    c10 = multiplyAdd(x, b0_0, c10);
    c11 = multiplyAdd(x, b1_0, c11);
    x = v128.load_splat<f32>(a, 8);
    c20 = multiplyAdd(x, b0_0, c20);
    c21 = multiplyAdd(x, b1_0, c21);
    x = v128.load_splat<f32>(a, 12);
    c30 = multiplyAdd(x, b0_0, c30);
    c31 = multiplyAdd(x, b1_0, c31);
    const b0_1 = v128.load(b, 32);
    const b1_1 = v128.load(b, 48);
    x = v128.load_splat<f32>(a, 16);
    c00 = multiplyAdd(x, b0_1, c00);
    c01 = multiplyAdd(x, b1_1, c01);
    x = v128.load_splat<f32>(a, 20);
    c10 = multiplyAdd(x, b0_1, c10);
    c11 = multiplyAdd(x, b1_1, c11);
    x = v128.load_splat<f32>(a, 24);
    c20 = multiplyAdd(x, b0_1, c20);
    c21 = multiplyAdd(x, b1_1, c21);
    x = v128.load_splat<f32>(a, 28);
    c30 = multiplyAdd(x, b0_1, c30);
    c31 = multiplyAdd(x, b1_1, c31);
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  out += stride;
  v128.store(out, c10);
  v128.store(out, c11, 16);
  out += stride;
  v128.store(out, c20);
  v128.store(out, c21, 16);
  out += stride;
  v128.store(out, c30);
  v128.store(out, c31, 16);
}

/** 6×8: twelve sums; with the loads and a product that is all sixteen registers of x86-64, and V8 spills. */
function tile6x8(depth: i32, a: usize, b: usize, out: usize, stride: usize): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  let c40 = c00;
  let c41 = c00;
  let c50 = c00;
  let c51 = c00;
  const end = a + <usize>(depth * 24);
  for (; a < end; a += 24, b += 32) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load_splat<f32>(a);
    c00 = multiplyAdd(x, b0, c00);
    c01 = multiplyAdd(x, b1, c01);
    x = v128.load_splat<f32>(a, 4);
    c10 = multiplyAdd(x, b0, c10);
    c11 = multiplyAdd(x, b1, c11);
    x = v128.load_splat<f32>(a, 8);
    c20 = multiplyAdd(x, b0, c20);
    c21 = multiplyAdd(x, b1, c21);
    x = v128.load_splat<f32>(a, 12);
    c30 = multiplyAdd(x, b0, c30);
    c31 = multiplyAdd(x, b1, c31);
    x = v128.load_splat<f32>(a, 16);
    c40 = multiplyAdd(x, b0, c40);
    c41 = multiplyAdd(x, b1, c41);
    x = v128.load_splat<f32>(a, 20);
    c50 = multiplyAdd(x, b0, c50);
    c51 = multiplyAdd(x, b1, c51);
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  out += stride;
  v128.store(out, c10);
  v128.store(out, c11, 16);
  out += stride;
  v128.store(out, c20);
  v128.store(out, c21, 16);
  out += stride;
  v128.store(out, c30);
  v128.store(out, c31, 16);
  out += stride;
  v128.store(out, c40);
  v128.store(out, c41, 16);
  out += stride;
  v128.store(out, c50);
  v128.store(out, c51, 16);
}

/** 3×12: nine sums, three loads and three splats. */
function tile3x12(depth: i32, a: usize, b: usize, out: usize, stride: usize): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c02 = c00;
  let c10 = c00;
  let c11 = c00;
  let c12 = c00;
  let c20 = c00;
  let c21 = c00;
  let c22 = c00;
  const end = a + <usize>(depth * 12);
  for (; a < end; a += 12, b += 48) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    let x = v128.load_splat<f32>(a);
    c00 = multiplyAdd(x, b0, c00);
    c01 = multiplyAdd(x, b1, c01);
    c02 = multiplyAdd(x, b2, c02);
    x = v128.load_splat<f32>(a, 4);
    c10 = multiplyAdd(x, b0, c10);
    c11 = multiplyAdd(x, b1, c11);
    c12 = multiplyAdd(x, b2, c12);
    x = v128.load_splat<f32>(a, 8);
    c20 = multiplyAdd(x, b0, c20);
    c21 = multiplyAdd(x, b1, c21);
    c22 = multiplyAdd(x, b2, c22);
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  v128.store(out, c02, 32);
  out += stride;
  v128.store(out, c10);
  v128.store(out, c11, 16);
  v128.store(out, c12, 32);
  out += stride;
  v128.store(out, c20);
  v128.store(out, c21, 16);
  v128.store(out, c22, 32);
}

/** 2×16: eight sums, four loads and two splats. */
function tile2x16(depth: i32, a: usize, b: usize, out: usize, stride: usize): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c02 = c00;
  let c03 = c00;
  let c10 = c00;
  let c11 = c00;
  let c12 = c00;
  let c13 = c00;
  const end = a + <usize>(depth * 8);
  for (; a < end; a += 8, b += 64) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    const b3 = v128.load(b, 48);
    let x = v128.load_splat<f32>(a);
    c00 = multiplyAdd(x, b0, c00);
    c01 = multiplyAdd(x, b1, c01);
    c02 = multiplyAdd(x, b2, c02);
    c03 = multiplyAdd(x, b3, c03);
    x = v128.load_splat<f32>(a, 4);
    c10 = multiplyAdd(x, b0, c10);
    c11 = multiplyAdd(x, b1, c11);
    c12 = multiplyAdd(x, b2, c12);
    c13 = multiplyAdd(x, b3, c13);
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  v128.store(out, c02, 32);
  v128.store(out, c03, 48);
  out += stride;
  v128.store(out, c10);
  v128.store(out, c11, 16);
  v128.store(out, c12, 32);
  v128.store(out, c13, 48);
}

/** 2×16 with a as it lies. */
function tile2x16InPlace(depth: i32, a: usize, rowStride: usize, b: usize, out: usize, stride: usize): void {
  const a1 = a + rowStride;
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c02 = c00;
  let c03 = c00;
  let c10 = c00;
  let c11 = c00;
  let c12 = c00;
  let c13 = c00;
  const bytes = (<usize>depth) << 2;
  for (let p: usize = 0; p < bytes; p += 4, b += 64) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    const b3 = v128.load(b, 48);
    let x = v128.load_splat<f32>(a + p);
    c00 = multiplyAdd(x, b0, c00);
    c01 = multiplyAdd(x, b1, c01);
    c02 = multiplyAdd(x, b2, c02);
    c03 = multiplyAdd(x, b3, c03);
    x = v128.load_splat<f32>(a1 + p);
    c10 = multiplyAdd(x, b0, c10);
    c11 = multiplyAdd(x, b1, c11);
    c12 = multiplyAdd(x, b2, c12);
    c13 = multiplyAdd(x, b3, c13);
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  v128.store(out, c02, 32);
  v128.store(out, c03, 48);
  out += stride;
  v128.store(out, c10);
  v128.store(out, c11, 16);
  v128.store(out, c12, 32);
  v128.store(out, c13, 48);
}

export function productTile4x4(m: i32, n: i32, k: i32, a: usize, b: usize, out: usize): void {
  const stride = (<usize>n) << 2;
  for (let j = 0; j < n; j += 4) {
    for (let i = 0; i < m; i += 4) {
      tile4x4(k, a + <usize>(i * k) * 4, b + <usize>(j * k) * 4, out + <usize>i * stride + ((<usize>j) << 2), stride);
    }
  }
}

export function productTile4x8(m: i32, n: i32, k: i32, a: usize, b: usize, out: usize): void {
  const stride = (<usize>n) << 2;
  for (let j = 0; j < n; j += 8) {
    for (let i = 0; i < m; i += 4) {
      tile4x8(k, a + <usize>(i * k) * 4, b + <usize>(j * k) * 4, out + <usize>i * stride + ((<usize>j) << 2), stride);
    }
  }
}

export function productTile4x8Twice(m: i32, n: i32, k: i32, a: usize, b: usize, out: usize): void {
  const stride = (<usize>n) << 2;
  for (let j = 0; j < n; j += 8) {
    for (let i = 0; i < m; i += 4) {
      tile4x8Twice(
        k,
        a + <usize>(i * k) * 4,
        b + <usize>(j * k) * 4,
        out + <usize>i * stride + ((<usize>j) << 2),
        stride,
      );
    }
  }
}

export function productTile6x8(m: i32, n: i32, k: i32, a: usize, b: usize, out: usize): void {
  const stride = (<usize>n) << 2;
  for (let j = 0; j < n; j += 8) {
    for (let i = 0; i < m; i += 6) {
      tile6x8(k, a + <usize>(i * k) * 4, b + <usize>(j * k) * 4, out + <usize>i * stride + ((<usize>j) << 2), stride);
    }
  }
}

export function productTile3x12(m: i32, n: i32, k: i32, a: usize, b: usize, out: usize): void {
  const stride = (<usize>n) << 2;
  for (let j = 0; j < n; j += 12) {
    for (let i = 0; i < m; i += 3) {
      tile3x12(k, a + <usize>(i * k) * 4, b + <usize>(j * k) * 4, out + <usize>i * stride + ((<usize>j) << 2), stride);
    }
  }
}

export function productTile2x16(m: i32, n: i32, k: i32, a: usize, b: usize, out: usize): void {
  const stride = (<usize>n) << 2;
  for (let j = 0; j < n; j += 16) {
    for (let i = 0; i < m; i += 2) {
      tile2x16(k, a + <usize>(i * k) * 4, b + <usize>(j * k) * 4, out + <usize>i * stride + ((<usize>j) << 2), stride);
    }
  }
}

export function productTile2x16InPlace(m: i32, n: i32, k: i32, a: usize, b: usize, out: usize): void {
  const stride = (<usize>n) << 2;
  for (let j = 0; j < n; j += 16) {
    for (let i = 0; i < m; i += 2) {
      tile2x16InPlace(
        k,
        a + <usize>(i * k) * 4,
        (<usize>k) << 2,
        b + <usize>(j * k) * 4,
        out + <usize>i * stride + ((<usize>j) << 2),
        stride,
      );
    }
  }
}
