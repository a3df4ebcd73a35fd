/**
 * LU with partial pivoting in f64, in place and by blocks of eight columns: a block is factorised column by column,
 * then its part of the product is subtracted from all that is to the right of it, which is where the time goes, where
 * the registers are full, and what the threads share.
 */
import { argument, setArgument, size, trailingJob } from './job';
import { run } from './run';
import { subtractProduct, subtractRow } from './solve-product';

const blockColumns: i32 = 8;
const columnsPerChunk: i32 = 16;

/**
 * a n×n with rows of `stride` bytes padded to a multiple of four numbers. pivots[i] (i32) is the row of a that ended up
 * in row i. False when a pivot is exactly 0 or not a number.
 */
export function factorise(a: usize, n: i32, stride: usize, pivots: usize): bool {
  for (let i = 0; i < n; i++) store<i32>(pivots + ((<usize>i) << 2), i);
  for (let first = 0; first < n; first += blockColumns) {
    const last = min(first + blockColumns, n);
    if (!factoriseBlock(a, n, stride, pivots, first, last)) return false;
    if (last == n) return true;
    setArgument(0, a);
    setArgument(1, n);
    setArgument(2, stride);
    setArgument(3, first);
    run(trailingJob, (n - last + columnsPerChunk - 1) / columnsPerChunk);
  }
  return true;
}

/**
 * In a few of the columns right of the block: its rows of the upper factor, then everything below. The block is a whole
 * one here.
 */
export function trailingChunk(chunk: i32): void {
  const a = argument(0);
  const n = size(1);
  const stride = argument(2);
  const first = size(3);
  const last = first + blockColumns;
  const left = last + chunk * columnsPerChunk;
  const right = min(n, left + columnsPerChunk);
  const at = (<usize>left) << 3;
  for (let i = first + 1; i < last; i++) {
    const row = a + <usize>i * stride;
    for (let k = first; k < i; k++)
      subtractRow<f64>(
        row + at,
        a + <usize>k * stride + at,
        load<f64>(row + ((<usize>k) << 3)),
        (<usize>(right - left)) << 3,
      );
  }
  const below = a + <usize>last * stride;
  for (let j = left; j < right; j += 4) {
    const column = (<usize>j) << 3;
    subtractProduct<f64>(
      n - last,
      last - first,
      below + ((<usize>first) << 3),
      stride,
      a + <usize>first * stride + column,
      stride,
      below + column,
      stride,
    );
  }
}

/** Columns first to last−1 of the rows from `first` on; rows are exchanged whole. */
function factoriseBlock(a: usize, n: i32, stride: usize, pivots: usize, first: i32, last: i32): bool {
  for (let k = first; k < last; k++) {
    const column = (<usize>k) << 3;
    let best = k;
    let largest: f64 = abs(load<f64>(a + <usize>k * stride + column));
    for (let i = k + 1; i < n; i++) {
      const magnitude: f64 = abs(load<f64>(a + <usize>i * stride + column));
      if (magnitude > largest) {
        largest = magnitude;
        best = i;
      }
    }
    if (!(largest > 0)) return false;
    if (best != k) exchange(a, stride, pivots, k, best);
    const top = a + <usize>k * stride;
    const pivot = load<f64>(top + column);
    for (let i = k + 1; i < n; i++) {
      const row = a + <usize>i * stride;
      const factor = load<f64>(row + column) / pivot;
      store<f64>(row + column, factor);
      for (let at = column + 8, end = (<usize>last) << 3; at < end; at += 8) {
        store<f64>(row + at, load<f64>(row + at) - factor * load<f64>(top + at));
      }
    }
  }
  return true;
}

function exchange(a: usize, stride: usize, pivots: usize, i: i32, j: i32): void {
  const x = a + <usize>i * stride;
  const y = a + <usize>j * stride;
  for (let at: usize = 0; at < stride; at += 16) {
    const kept = v128.load(x + at);
    v128.store(x + at, v128.load(y + at));
    v128.store(y + at, kept);
  }
  const p = pivots + ((<usize>i) << 2);
  const q = pivots + ((<usize>j) << 2);
  const kept = load<i32>(p);
  store<i32>(p, load<i32>(q));
  store<i32>(q, kept);
}
