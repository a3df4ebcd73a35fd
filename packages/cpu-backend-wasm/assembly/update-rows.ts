/**
 * Rows of a table and of its moments by their gradient, in place and in one pass. A decay β·x is computed as x − (1 −
 * β)·x: 1 − β is small and its rounding to f32 harmless, while that of a β near 1 would be a bias that grows with the
 * steps. No row is repeated, so chunks of rows are independent.
 */
import { storePart } from './partial-vector';
import { argument, real, setArgument, setReal, size, updateRowsJob } from './job';
import { fetchRow, rowAt, rowsPerChunk } from './rows';
import { run } from './run';

// As numbered in src/kernels.ts.
const momentum: i32 = 0;
const adagrad: i32 = 1;
const adam: i32 = 2;

/**
 * The table and its moments have the same columns and therefore the same `shift`.
 * @param indices 0 for the rows in the order of the gradient's
 * @param second of Adam alone
 * @param rate η, for Adam with the correction of the mean
 * @param decay 1 − β of the first moment
 * @param secondDecay 1 − β of the second moment
 * @param correction of the second moment
 */
export function updateRows(
  rule: i32,
  gradient: usize,
  indices: usize,
  count: i32,
  columns: i32,
  shift: i32,
  rows: usize,
  first: usize,
  second: usize,
  rate: f32,
  decay: f32,
  secondDecay: f32,
  correction: f32,
  epsilon: f32,
): void {
  setArgument(0, rule);
  setArgument(1, gradient);
  setArgument(2, indices);
  setArgument(3, count);
  setArgument(4, columns);
  setArgument(5, shift);
  setArgument(6, rows);
  setArgument(7, first);
  setArgument(8, second);
  setReal(9, rate);
  setReal(10, decay);
  setReal(11, secondDecay);
  setReal(12, correction);
  setReal(13, epsilon);
  const each = rowsPerChunk(columns);
  run(updateRowsJob, (count + each - 1) / each);
}

export function updateRowsChunk(chunk: i32): void {
  const rule = size(0);
  const columns = size(4);
  const shift = size(5);
  const bytes = (<usize>columns) << 2;
  const each = rowsPerChunk(columns);
  const begin = chunk * each;
  const end = min(begin + each, size(3));
  const indices = argument(2);
  let gradient = argument(1) + <usize>begin * bytes;
  for (let i = begin; i < end; i++, gradient += bytes) {
    if (i + 1 < end) {
      const next: u32 = indices == 0 ? i + 1 : load<u32>(indices + ((<usize>i + 1) << 2));
      fetchRow(rowAt(argument(6), shift, next, bytes), bytes);
      fetchRow(rowAt(argument(7), shift, next, bytes), bytes);
      if (rule == adam) fetchRow(rowAt(argument(8), shift, next, bytes), bytes);
    }
    const row: u32 = indices == 0 ? i : load<u32>(indices + ((<usize>i) << 2));
    const weights = rowAt(argument(6), shift, row, bytes);
    const first = rowAt(argument(7), shift, row, bytes);
    if (rule == momentum) momentumRow(gradient, columns, weights, first);
    else if (rule == adagrad) adagradRow(gradient, columns, weights, first);
    else adamRow(gradient, columns, weights, first, rowAt(argument(8), shift, row, bytes));
  }
}

function momentumRow(gradient: usize, columns: i32, weights: usize, velocity: usize): void {
  const rate = f32x4.splat(<f32>real(9));
  const decay = f32x4.splat(<f32>real(10));
  for (let left = columns; left > 0; left -= 4, gradient += 16, weights += 16, velocity += 16) {
    const old = v128.load(velocity);
    const v = f32x4.add(f32x4.sub(old, f32x4.mul(decay, old)), v128.load(gradient));
    const w = f32x4.sub(v128.load(weights), f32x4.mul(rate, v));
    put(velocity, v, left);
    put(weights, w, left);
  }
}

function adagradRow(gradient: usize, columns: i32, weights: usize, squares: usize): void {
  const rate = f32x4.splat(<f32>real(9));
  const epsilon = f32x4.splat(<f32>real(13));
  for (let left = columns; left > 0; left -= 4, gradient += 16, weights += 16, squares += 16) {
    const g = v128.load(gradient);
    const sum = f32x4.add(v128.load(squares), f32x4.mul(g, g));
    const quotient = f32x4.div(f32x4.mul(rate, g), f32x4.add(f32x4.sqrt(sum), epsilon));
    const w = f32x4.sub(v128.load(weights), quotient);
    put(squares, sum, left);
    put(weights, w, left);
  }
}

function adamRow(gradient: usize, columns: i32, weights: usize, mean: usize, squares: usize): void {
  const rate = f32x4.splat(<f32>real(9));
  const decay = f32x4.splat(<f32>real(10));
  const secondDecay = f32x4.splat(<f32>real(11));
  const correction = f32x4.splat(<f32>real(12));
  const epsilon = f32x4.splat(<f32>real(13));
  for (let left = columns; left > 0; left -= 4, gradient += 16, weights += 16, mean += 16, squares += 16) {
    const g = v128.load(gradient);
    const oldMean = v128.load(mean);
    const oldSquares = v128.load(squares);
    const m = f32x4.add(f32x4.sub(oldMean, f32x4.mul(decay, oldMean)), f32x4.mul(decay, g));
    const s = f32x4.add(
      f32x4.sub(oldSquares, f32x4.mul(secondDecay, oldSquares)),
      f32x4.mul(secondDecay, f32x4.mul(g, g)),
    );
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(correction, s)), epsilon);
    const w = f32x4.sub(v128.load(weights), f32x4.div(f32x4.mul(rate, m), root));
    put(mean, m, left);
    put(squares, s, left);
    put(weights, w, left);
  }
}

function put(target: usize, value: v128, left: i32): void {
  if (left >= 4) v128.store(target, value);
  else storePart(target, value, left);
}
