/**
 * The products that read each number of the matrix once: a vector with a matrix, and two vectors. Bound by memory, so
 * unpacked.
 */
import { addScaled } from './accumulate';
import { affineRange } from './dense';
import { argument, outerJob, real, setArgument, setReal, size, vectorJob, vectorTransposedJob } from './job';
import { storePart } from './partial-vector';
import { run } from './run';

/** beta·out; beta 0 never reads it. */
export function scaleBy(beta: f64, out: usize, length: usize): void {
  if (beta == 1) return;
  if (beta == 0) {
    memory.fill(out, 0, length << 2);
    return;
  }
  affineRange(out, beta, 0, out, <i32>length);
}

/** Numbers of the matrix in a chunk. */
const chunkNumbers: i32 = 32_768;

function setArguments(k: i32, n: i32, x: usize, b: usize, alpha: f32, beta: f64, out: usize): void {
  setArgument(0, k);
  setArgument(1, n);
  setArgument(2, x);
  setArgument(3, b);
  setReal(4, alpha);
  setReal(5, beta);
  setArgument(6, out);
}

/** Wide, because rows of b are read in order; whole cache lines of out, so that no two threads write to one. */
function columnsPerChunk(k: i32): i32 {
  return max(512, (chunkNumbers / k) & ~15);
}

/** out = alpha·x·b + beta·out for x 1×k and b k×n, cut into columns. */
export function vectorTimesMatrix(k: i32, n: i32, x: usize, b: usize, alpha: f32, beta: f64, out: usize): void {
  setArguments(k, n, x, b, alpha, beta, out);
  const columns = columnsPerChunk(k);
  run(vectorJob, (n + columns - 1) / columns);
}

export function vectorChunk(chunk: i32): void {
  const n = size(1);
  const columns = columnsPerChunk(size(0));
  const first = chunk * columns;
  const at = (<usize>first) << 2;
  addRows(size(0), min(columns, n - first), n, argument(2), argument(3) + at, <f32>real(4), real(5), argument(6) + at);
}

/** Four rows of b, which are `width` numbers apart, at a time are added into n numbers of out. */
function addRows(k: i32, n: i32, width: i32, x: usize, b: usize, alpha: f32, beta: f64, out: usize): void {
  scaleBy(beta, out, <usize>n);
  const stride = (<usize>width) << 2;
  const end = (<usize>n) << 2;
  const whole = (<usize>(n & ~3)) << 2;
  let p = 0;
  for (; p + 4 <= k; p += 4, x += 16, b += stride << 2) {
    const x0 = f32x4.splat(alpha * load<f32>(x));
    const x1 = f32x4.splat(alpha * load<f32>(x, 4));
    const x2 = f32x4.splat(alpha * load<f32>(x, 8));
    const x3 = f32x4.splat(alpha * load<f32>(x, 12));
    for (let j: usize = 0; j < end; j += 16) {
      const at = b + j;
      const first = f32x4.add(f32x4.mul(x0, v128.load(at)), f32x4.mul(x1, v128.load(at + stride)));
      const second = f32x4.add(f32x4.mul(x2, v128.load(at + 2 * stride)), f32x4.mul(x3, v128.load(at + 3 * stride)));
      const sum = f32x4.add(v128.load(out + j), f32x4.add(first, second));
      if (j < whole) v128.store(out + j, sum);
      else storePart(out + j, sum, n & 3);
    }
  }
  for (; p < k; p++, x += 4, b += stride) {
    const factor = f32x4.splat(alpha * load<f32>(x));
    for (let j: usize = 0; j < end; j += 16) {
      const sum = f32x4.add(v128.load(out + j), f32x4.mul(factor, v128.load(b + j)));
      if (j < whole) v128.store(out + j, sum);
      else storePart(out + j, sum, n & 3);
    }
  }
}

/** out = alpha·x·bᵀ + beta·out for x 1×k and b n×k: a dot product with each row of b. */
export function vectorTimesTransposed(k: i32, n: i32, x: usize, b: usize, alpha: f32, beta: f64, out: usize): void {
  setArguments(k, n, x, b, alpha, beta, out);
  const rows = rowsPerChunk(k);
  run(vectorTransposedJob, (n + rows - 1) / rows);
}

function rowsPerChunk(columns: i32): i32 {
  return max(16, (chunkNumbers / columns) & ~15);
}

export function vectorTransposedChunk(chunk: i32): void {
  const k = size(0);
  const rows = rowsPerChunk(k);
  const first = chunk * rows;
  const b = argument(3) + <usize>first * ((<usize>k) << 2);
  dotRows(k, min(rows, size(1) - first), argument(2), b, <f32>real(4), real(5), argument(6) + ((<usize>first) << 2));
}

function dotRows(k: i32, n: i32, x: usize, b: usize, alpha: f32, beta: f64, out: usize): void {
  for (let j = 0; j < n; j++, b += (<usize>k) << 2, out += 4) {
    const sum = alpha * dot(k, x, b);
    store<f32>(out, beta == 0 ? sum : <f32>(<f64>sum + beta * <f64>load<f32>(out)));
  }
}

/** The dot product of k numbers at x and at y. */
export function dot(k: i32, x: usize, y: usize): f32 {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let p = 0;
  for (; p + 16 <= k; p += 16, x += 64, y += 64) {
    s0 = f32x4.add(s0, f32x4.mul(v128.load(x), v128.load(y)));
    s1 = f32x4.add(s1, f32x4.mul(v128.load(x, 16), v128.load(y, 16)));
    s2 = f32x4.add(s2, f32x4.mul(v128.load(x, 32), v128.load(y, 32)));
    s3 = f32x4.add(s3, f32x4.mul(v128.load(x, 48), v128.load(y, 48)));
  }
  for (; p + 4 <= k; p += 4, x += 16, y += 16) s0 = f32x4.add(s0, f32x4.mul(v128.load(x), v128.load(y)));
  s0 = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  let sum: f32 =
    f32x4.extract_lane(s0, 0) + f32x4.extract_lane(s0, 1) + (f32x4.extract_lane(s0, 2) + f32x4.extract_lane(s0, 3));
  for (; p < k; p++, x += 4, y += 4) sum += load<f32>(x) * load<f32>(y);
  return sum;
}

/** out_ij = alpha·x_i·y_j + beta·out_ij, cut into rows. */
export function outerProduct(m: i32, n: i32, x: usize, y: usize, alpha: f32, beta: f64, out: usize): void {
  setArguments(m, n, x, y, alpha, beta, out);
  const rows = rowsPerChunk(n);
  run(outerJob, (m + rows - 1) / rows);
}

export function outerChunk(chunk: i32): void {
  const n = size(1);
  const rows = rowsPerChunk(n);
  const first = chunk * rows;
  const out = argument(6) + <usize>first * ((<usize>n) << 2);
  outerRows(
    min(rows, size(0) - first),
    n,
    argument(2) + ((<usize>first) << 2),
    argument(3),
    <f32>real(4),
    real(5),
    out,
  );
}

function outerRows(m: i32, n: i32, x: usize, y: usize, alpha: f32, beta: f64, out: usize): void {
  for (let i = 0; i < m; i++, x += 4) {
    const factor = f32x4.splat(alpha * load<f32>(x));
    for (let j = 0; j < n; j += 4) {
      let value = f32x4.mul(factor, v128.load(y + ((<usize>j) << 2)));
      if (beta != 0) value = addScaled(value, beta, v128.load(out));
      if (j + 4 <= n) {
        v128.store(out, value);
        out += 16;
      } else {
        storePart(out, value, n - j);
        out += (<usize>(n - j)) << 2;
      }
    }
  }
}
