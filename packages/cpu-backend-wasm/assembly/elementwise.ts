/** The elementwise kernels cut into chunks of numbers or rows that run on all threads. */
import { affineRange, axpyRange, mirrorAddRows } from './dense';
import { binaryRange } from './binary';
import {
  affineJob,
  argument,
  axpyJob,
  binaryFlatJob,
  binaryRowsJob,
  mirrorAddJob,
  real,
  setArgument,
  setReal,
  size,
  unaryJob,
} from './job';
import { run } from './run';
import { unaryRange } from './unary';

/**
 * Numbers in a chunk where one costs a few instructions, and where it costs some tens (exp): some microseconds either
 * way.
 */
const cheapNumbers: i32 = 16_384;
const costlyNumbers: i32 = 4096;

function chunksOf(total: i32, each: i32): i32 {
  return <i32>((<u32>total + <u32>each - 1) / <u32>each);
}

/** out += alpha·x. */
export function axpy(alpha: f32, x: usize, out: usize, length: i32): void {
  if (length <= cheapNumbers) return axpyRange(alpha, x, out, length);
  setReal(0, alpha);
  setArgument(1, x);
  setArgument(2, out);
  setArgument(3, length);
  run(axpyJob, chunksOf(length, cheapNumbers));
}

export function axpyChunk(chunk: i32): void {
  const first = chunk * cheapNumbers;
  const at = (<usize>first) << 2;
  axpyRange(<f32>real(0), argument(1) + at, argument(2) + at, min(cheapNumbers, size(3) - first));
}

/** out = scale·x + shift. */
export function affine(x: usize, scale: f64, shift: f64, out: usize, length: i32): void {
  if (length <= cheapNumbers) return affineRange(x, scale, shift, out, length);
  setArgument(0, x);
  setReal(1, scale);
  setReal(2, shift);
  setArgument(3, out);
  setArgument(4, length);
  run(affineJob, chunksOf(length, cheapNumbers));
}

export function affineChunk(chunk: i32): void {
  const first = chunk * cheapNumbers;
  const at = (<usize>first) << 2;
  affineRange(argument(0) + at, real(1), real(2), argument(3) + at, min(cheapNumbers, size(4) - first));
}

/** out = f(x); the numbers of the functions are those of src/kernels.ts. */
export function unary(operation: i32, x: usize, out: usize, length: i32): void {
  if (length <= costlyNumbers) return unaryRange(operation, x, out, length);
  setArgument(0, operation);
  setArgument(1, x);
  setArgument(2, out);
  setArgument(3, length);
  run(unaryJob, chunksOf(length, costlyNumbers));
}

export function unaryChunk(chunk: i32): void {
  const first = chunk * costlyNumbers;
  const at = (<usize>first) << 2;
  unaryRange(size(0), argument(1) + at, argument(2) + at, min(costlyNumbers, size(3) - first));
}

/**
 * out = a ∘ b, as `binaryRange` has it. `splats` is scratch of 64 bytes for each thread. One row is cut into numbers,
 * more into rows.
 */
export function binary(
  operation: i32,
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  columns: i32,
  rowStride: i32,
  columnStride: i32,
  splats: usize,
): void {
  if (<i64>rows * <i64>columns <= <i64>cheapNumbers) {
    return binaryRange(operation, a, b, out, rows, columns, rowStride, columnStride, splats);
  }
  setArgument(0, operation);
  setArgument(1, a);
  setArgument(2, b);
  setArgument(3, out);
  setArgument(4, rows);
  setArgument(5, columns);
  setArgument(6, rowStride);
  setArgument(7, columnStride);
  setArgument(8, splats);
  if (rows == 1) run(binaryFlatJob, chunksOf(columns, cheapNumbers));
  else run(binaryRowsJob, chunksOf(rows, rowsPerChunk(columns)));
}

function rowsPerChunk(columns: i32): i32 {
  return max(1, cheapNumbers / columns);
}

export function binaryFlatChunk(chunk: i32, thread: i32): void {
  const first = chunk * cheapNumbers;
  const at = (<usize>first) << 2;
  const b = argument(2) + (size(7) == 0 ? 0 : at);
  const count = min(cheapNumbers, size(5) - first);
  binaryRange(
    size(0),
    argument(1) + at,
    b,
    argument(3) + at,
    1,
    count,
    0,
    size(7),
    argument(8) + ((<usize>thread) << 6),
  );
}

export function binaryRowsChunk(chunk: i32, thread: i32): void {
  const columns = size(5);
  const each = rowsPerChunk(columns);
  const first = chunk * each;
  const at = <usize>first * ((<usize>columns) << 2);
  const b = argument(2) + <usize>first * ((<usize>size(6)) << 2);
  const rows = min(each, size(4) - first);
  binaryRange(
    size(0),
    argument(1) + at,
    b,
    argument(3) + at,
    rows,
    columns,
    size(6),
    size(7),
    argument(8) + ((<usize>thread) << 6),
  );
}

const mirrorRows: i32 = 8;

/**
 * out = alpha·(p + pᵀ) + beta·out for p and out n×n; a chunk is a few rows up to the diagonal and their mirror image.
 */
export function mirrorAdd(p: usize, out: usize, n: i32, alpha: f32, beta: f64): void {
  if (n * n <= cheapNumbers) return mirrorAddRows(p, out, n, 0, n, alpha, beta);
  setArgument(0, p);
  setArgument(1, out);
  setArgument(2, n);
  setReal(3, alpha);
  setReal(4, beta);
  run(mirrorAddJob, chunksOf(n, mirrorRows));
}

export function mirrorAddChunk(chunk: i32): void {
  const n = size(2);
  // The long rows first: what is left at the end is short.
  const first = (chunksOf(n, mirrorRows) - 1 - chunk) * mirrorRows;
  mirrorAddRows(argument(0), argument(1), n, first, min(n, first + mirrorRows), <f32>real(3), real(4));
}
