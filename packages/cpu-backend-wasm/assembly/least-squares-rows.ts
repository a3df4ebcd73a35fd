/**
 * Regularised least squares for each of many short lists of rows, cut into lists. With B = diag(base + shift), V the
 * rows of the list and w their weights, x = argmin Σ w_e(V_e·x − 1)² + xᵀBx is found in as many unknowns as the list has
 * rows: with X = V·B^(-½)
 *
 *     (XXᵀ + diag(1/w)) c = 1        x = B^(-½) Xᵀ c
 *
 * by Cholesky's LLᵀ. L replaces the lower triangle of XXᵀ.
 */
import { axpyRange, fill } from './dense';
import { dot } from './gemm-vector';
import { multiplyAdd } from './gemm-tile';
import { argument, leastSquaresRowsJob, setArgument, size } from './job';
import { addFourRows, fetchRow, rowAt } from './rows';
import { storePart } from './partial-vector';
import { run } from './run';

/**
 * @param weights 0 for all 1
 * @param longest the most rows of a list
 * @param scratch for each thread what leastSquaresBytes of src/kernels.ts says
 */
export function leastSquaresRows(
  table: usize,
  shift: i32,
  offsets: usize,
  indices: usize,
  weights: usize,
  base: usize,
  shifts: usize,
  lists: i32,
  columns: i32,
  out: usize,
  longest: i32,
  scratch: usize,
): void {
  setArgument(0, table);
  setArgument(1, shift);
  setArgument(2, offsets);
  setArgument(3, indices);
  setArgument(4, weights);
  setArgument(5, base);
  setArgument(6, shifts);
  setArgument(7, columns);
  setArgument(8, out);
  setArgument(9, longest);
  setArgument(10, scratch);
  run(leastSquaresRowsJob, lists);
}

/** Numbers from one row to the next: whole vectors, and never a power of two, which would share places of the cache. */
function strideOf(n: i32): usize {
  return ((<usize>((n + 3) & ~3)) << 2) + 16;
}

export function leastSquaresRowsChunk(list: i32, thread: i32): void {
  const columns = size(7);
  const longest = size(9);
  const rowBytes = (<usize>columns) << 2;
  const rowStride = strideOf(columns);
  const stride = strideOf(longest);
  const first = load<i32>(argument(2) + ((<usize>list) << 2));
  const n = load<i32>(argument(2) + ((<usize>list) << 2), 4) - first;
  const out = argument(8) + <usize>list * rowBytes;
  fill(0, out, columns);
  if (n == 0) return;
  const bytes = <usize>(longest + 4) * (rowStride + stride) + 2 * stride + rowStride;
  const scales = argument(10) + <usize>thread * ((bytes + 63) & ~63);
  const x = scales + rowStride;
  const system = x + <usize>(longest + 4) * rowStride;
  const c = system + <usize>(longest + 4) * stride;
  setScales(scales, load<f32>(argument(6) + ((<usize>list) << 2)), columns);
  for (let i = 0; i < n; i++) {
    if (i + 1 < n) fetchRow(tableRow(first + i + 1, rowBytes), rowBytes);
    scaleRow(tableRow(first + i, rowBytes), scales, x + <usize>i * rowStride, columns);
  }
  // Blocks of four rows have numbers, whatever they are.
  memory.fill(x + <usize>n * rowStride, 0, <usize>(-n & 3) * rowStride);
  multiply(x, rowStride, n, (columns + 3) >> 2, system, stride);
  const weights = argument(4);
  for (let i = 0; i < n; i++) {
    const at = system + <usize>i * stride + ((<usize>i) << 2);
    const inverse: f32 = weights == 0 ? 1 : 1 / load<f32>(weights + ((<usize>(first + i)) << 2));
    store<f32>(at, load<f32>(at) + inverse);
  }
  factorise(system, stride, n);
  substitute(system, stride, n, c);
  combine(x, rowStride, n, c, out, columns);
  scaleRow(out, scales, out, columns);
}

/** Row of the table of an entry. */
function tableRow(entry: i32, bytes: usize): usize {
  return rowAt(argument(0), size(1), load<u32>(argument(3) + ((<usize>entry) << 2)), bytes);
}

/** out += Xᵀc. */
function combine(x: usize, rowStride: usize, n: i32, c: usize, out: usize, columns: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4, x += rowStride << 2, c += 16) {
    addFourRows(
      x,
      x + rowStride,
      x + 2 * rowStride,
      x + 3 * rowStride,
      load<f32>(c),
      load<f32>(c, 4),
      load<f32>(c, 8),
      load<f32>(c, 12),
      out,
      columns,
    );
  }
  for (; i < n; i++, x += rowStride, c += 4) axpyRange(load<f32>(c), x, out, columns);
}

/** (base + shift)^(-½); 0 up to a whole vector. */
function setScales(out: usize, shift: f32, columns: i32): void {
  const one = f32x4.splat(1);
  const add = f32x4.splat(shift);
  let base = argument(5);
  let left = columns;
  for (; left > 0; left -= 4, base += 16, out += 16) {
    const scale = f32x4.div(one, f32x4.sqrt(f32x4.add(v128.load(base), add)));
    if (left >= 4) v128.store(out, scale);
    else {
      v128.store(out, f32x4.splat(0));
      storePart(out, scale, left);
    }
  }
}

/** `out` may be `row`: then what is behind its numbers stays. */
function scaleRow(row: usize, scales: usize, out: usize, columns: i32): void {
  const isCopy = out != row;
  for (let left = columns; left > 0; left -= 4, row += 16, scales += 16, out += 16) {
    const value = f32x4.mul(v128.load(row), v128.load(scales));
    if (left >= 4) v128.store(out, value);
    else {
      if (isCopy) v128.store(out, f32x4.splat(0));
      storePart(out, value, left);
    }
  }
}

/** The lower triangle of XXᵀ in blocks of 2×4 products, with some numbers above it; X has n rows of whole vectors. */
function multiply(x: usize, rowStride: usize, n: i32, vectors: i32, out: usize, stride: usize): void {
  for (let i = 0; i < n; i += 2) {
    for (let j = 0; j < min(i + 2, n); j += 4) {
      multiplyBlock(
        x + <usize>i * rowStride,
        x + <usize>j * rowStride,
        rowStride,
        vectors,
        out + <usize>i * stride + ((<usize>j) << 2),
        stride,
      );
    }
  }
}

/** Rows beyond the last have their products written too: there is room for them. */
function multiplyBlock(a: usize, b: usize, rowStride: usize, vectors: i32, out: usize, stride: usize): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c02 = c00;
  let c03 = c00;
  let c10 = c00;
  let c11 = c00;
  let c12 = c00;
  let c13 = c00;
  for (const end = a + ((<usize>vectors) << 4); a < end; a += 16, b += 16) {
    const x0 = v128.load(a);
    const x1 = v128.load(a + rowStride);
    let y = v128.load(b);
    c00 = multiplyAdd(x0, y, c00);
    c10 = multiplyAdd(x1, y, c10);
    y = v128.load(b + rowStride);
    c01 = multiplyAdd(x0, y, c01);
    c11 = multiplyAdd(x1, y, c11);
    y = v128.load(b + 2 * rowStride);
    c02 = multiplyAdd(x0, y, c02);
    c12 = multiplyAdd(x1, y, c12);
    y = v128.load(b + 3 * rowStride);
    c03 = multiplyAdd(x0, y, c03);
    c13 = multiplyAdd(x1, y, c13);
  }
  v128.store(out, sumsOf(c00, c01, c02, c03));
  v128.store(out + stride, sumsOf(c10, c11, c12, c13));
}

/** The sum of each of four vectors. */
function sumsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** L of LLᵀ in place of the lower triangle, four rows at a time; 1/L_ii in place of the diagonal. */
function factorise(a: usize, stride: usize, n: i32): void {
  for (let i = 0; i < n; i += 4) {
    const rows = min(4, n - i);
    const first = a + <usize>i * stride;
    if (rows == 4) for (let j = 0; j < i; j++) eliminateFour(first, stride, a + <usize>j * stride, j);
    for (let r = 0; r < rows; r++) {
      const row = first + <usize>r * stride;
      for (let j = rows == 4 ? i : 0; j < i + r; j++) {
        const other = a + <usize>j * stride;
        const at = (<usize>j) << 2;
        store<f32>(row + at, (load<f32>(row + at) - dot(j, row, other)) * load<f32>(other + at));
      }
      const diagonal = row + ((<usize>(i + r)) << 2);
      store<f32>(diagonal, 1 / sqrt<f32>(load<f32>(diagonal) - dot(i + r, row, row)));
    }
  }
}

/** L_rj for four rows from `a` on, given row j at b and its inverse diagonal. */
function eliminateFour(a: usize, stride: usize, b: usize, j: i32): void {
  let c0 = f32x4.splat(0);
  let c1 = c0;
  let c2 = c0;
  let c3 = c0;
  let at: usize = 0;
  for (const end = (<usize>(j & ~3)) << 2; at < end; at += 16) {
    const y = v128.load(b + at);
    const x = a + at;
    c0 = multiplyAdd(v128.load(x), y, c0);
    c1 = multiplyAdd(v128.load(x + stride), y, c1);
    c2 = multiplyAdd(v128.load(x + 2 * stride), y, c2);
    c3 = multiplyAdd(v128.load(x + 3 * stride), y, c3);
  }
  if (j & 3) {
    const y = v128.and(v128.load(b + at), i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(j & 3)));
    const x = a + at;
    c0 = multiplyAdd(v128.load(x), y, c0);
    c1 = multiplyAdd(v128.load(x + stride), y, c1);
    c2 = multiplyAdd(v128.load(x + 2 * stride), y, c2);
    c3 = multiplyAdd(v128.load(x + 3 * stride), y, c3);
  }
  const sums = sumsOf(c0, c1, c2, c3);
  const place = (<usize>j) << 2;
  const inverse = load<f32>(b + place);
  const out = a + place;
  store<f32>(out, (load<f32>(out) - f32x4.extract_lane(sums, 0)) * inverse);
  store<f32>(out + stride, (load<f32>(out + stride) - f32x4.extract_lane(sums, 1)) * inverse);
  store<f32>(out + 2 * stride, (load<f32>(out + 2 * stride) - f32x4.extract_lane(sums, 2)) * inverse);
  store<f32>(out + 3 * stride, (load<f32>(out + 3 * stride) - f32x4.extract_lane(sums, 3)) * inverse);
}

/** LLᵀc = 1. */
function substitute(a: usize, stride: usize, n: i32, c: usize): void {
  for (let i = 0; i < n; i++) {
    const row = a + <usize>i * stride;
    store<f32>(c + ((<usize>i) << 2), (1 - dot(i, row, c)) * load<f32>(row + ((<usize>i) << 2)));
  }
  for (let i = n - 1; i >= 0; i--) {
    const row = a + <usize>i * stride;
    const value = load<f32>(c + ((<usize>i) << 2)) * load<f32>(row + ((<usize>i) << 2));
    store<f32>(c + ((<usize>i) << 2), value);
    axpyRange(-value, row, c, i);
  }
}
