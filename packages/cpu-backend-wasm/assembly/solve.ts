/**
 * a·out = b by LU with partial pivoting in f64. The right-hand sides are taken in strips of 32 bytes a row, each strip
 * contiguous, so that both substitutions run in the registers of `subtractProduct` with all they need of the strip in
 * the first-level cache. Strips are what the threads share; the condition estimate, which cannot be cut, is one chunk
 * among them, taken first. A system near the identity, as the output layer's are, needs no estimate: for ‖I − a‖₁ = e,
 * ‖a⁻¹‖₁ is from 1/(1 + e) to 1/(1 − e), which is taken: the layer multiplies the conditions of thousands of steps, and
 * what is too small by a thousandth in each would hide everything. There nothing is lost by substituting in f32 either,
 * eight columns a strip instead of four; elsewhere that is done in f64. Rejected: packing the factors in groups of four
 * rows as gemm does, which made no difference.
 */
import { widenHigh } from './accumulate';
import { estimateInverseNorm } from './condition';
import { factorise } from './factorise';
import { argument, real, setArgument, setReal, size, substituteJob } from './job';
import { storePart } from './partial-vector';
import { run, wake } from './run';
import { subtractProduct } from './solve-product';
import { solveLower, solveUpper } from './solve-triangle';

/** Smaller systems take less time than waking a worker. */
const worthWaking: i32 = 64;
/** ‖I − a‖₁ = e up to which 1/(1 − e), the most that ‖a⁻¹‖₁ can be, is taken for it. */
const nearIdentity: f64 = 1.0 / 8.0;
/** Where the chunk of the estimate leaves it; not 0 when it is there already. */
const inverseNormSlot: usize = 9;
/** 1 when the factors are in f32. */
const singleSlot: usize = 10;

/**
 * a n×n, b and out n×columns, in f32. Returns the reciprocal condition estimate, 0 for a singular a (out is then
 * untouched).
 * @param scratch as many bytes as `solveScratchBytes` of src/kernels.ts says
 */
export function solve(n: i32, columns: i32, a: usize, b: usize, out: usize, scratch: usize): f64 {
  if (n == 0) return 1;
  const stride = ((<usize>n + 3) / 4) * 32;
  const factors = scratch;
  const vector = factors + <usize>n * stride;
  const signs = vector + ((<usize>n + 2) << 3);
  const pivots = signs + ((<usize>n + 2) << 3);
  const sides = pivots + ((<usize>n + 2) << 3);

  if (n >= worthWaking) wake();
  widen(n, a, factors, stride);
  sumColumns(n, factors, stride, vector);
  const norm = largestOf(n, vector);
  const distance = distanceFromIdentity(n, factors, stride, vector);
  if (!factorise(factors, n, stride, pivots)) return norm == norm ? 0 : NaN;
  setArgument(0, n);
  setArgument(1, columns);
  setArgument(2, b);
  setArgument(3, out);
  setArgument(4, factors);
  setArgument(5, vector);
  setArgument(6, signs);
  setArgument(7, pivots);
  setArgument(8, sides);
  const single = distance <= nearIdentity;
  setReal(inverseNormSlot, single ? 1 / (1 - distance) : 0);
  setArgument(singleSlot, single);
  if (single) narrow(n, factors, stride);
  const each = columnsPerChunk(n, single);
  run(substituteJob, 1 + (columns + each - 1) / each);
  return 1 / (norm * real(inverseNormSlot));
}

/** One strip, more for systems so small that taking a chunk would cost as much. */
function columnsPerChunk(n: i32, single: bool): i32 {
  return (single ? 8 : 4) * max(1, 4096 / (n * n));
}

export function substituteChunk(chunk: i32, thread: i32): void {
  const n = size(0);
  const columns = size(1);
  const stride = ((<usize>n + 3) / 4) * 32;
  const factors = argument(4);
  const single = size(singleSlot) != 0;
  if (chunk == 0) {
    if (real(inverseNormSlot) == 0)
      setReal(inverseNormSlot, estimateInverseNorm(factors, n, stride, argument(5), argument(6)));
    return;
  }
  const each = columnsPerChunk(n, single);
  const side = argument(8) + <usize>thread * ((<usize>n) << 5);
  const end = min(columns, chunk * each);
  if (single) {
    for (let first = (chunk - 1) * each; first < end; first += 8) {
      takeStrip<f32>(n, columns, first, argument(2), argument(7), side);
      substituteStrip<f32>(factors, n, stride >> 1, side);
      giveSingleStrip(n, columns, first, min(8, columns - first), side, argument(3));
    }
  } else {
    for (let first = (chunk - 1) * each; first < end; first += 4) {
      takeStrip<f64>(n, columns, first, argument(2), argument(7), side);
      substituteStrip<f64>(factors, n, stride, side);
      giveStrip(n, columns, first, min(4, columns - first), side, argument(3));
    }
  }
}

/** The factors into f32 where they are: rows of half the stride. */
function narrow(n: i32, factors: usize, stride: usize): void {
  let to = factors;
  for (let from = factors, end = factors + <usize>n * stride; from < end; from += 32, to += 16) {
    const low = f32x4.demote_f64x2_zero(v128.load(from));
    v128.store(to, v128.shuffle<f32>(low, f32x4.demote_f64x2_zero(v128.load(from, 16)), 0, 1, 4, 5));
  }
}

/** a into f64 rows padded with zeros. */
function widen(n: i32, a: usize, factors: usize, stride: usize): void {
  memory.fill(factors, 0, <usize>n * stride);
  for (let i = 0; i < n; i++) {
    const row = factors + <usize>i * stride;
    for (let j = 0; j < n; j++, a += 4) store<f64>(row + ((<usize>j) << 3), <f64>load<f32>(a));
  }
}

/** sums_j = Σᵢ|a_ij|; n + 1 numbers where n is odd. */
function sumColumns(n: i32, factors: usize, stride: usize, sums: usize): void {
  memory.fill(sums, 0, (<usize>(n + 1)) << 3);
  for (let i = 0; i < n; i++) {
    const row = factors + <usize>i * stride;
    for (let j: usize = 0; j < (<usize>n) << 3; j += 16) {
      v128.store(sums + j, f64x2.add(v128.load(sums + j), f64x2.abs(v128.load(row + j))));
    }
  }
}

/** NaN where one is. */
function largestOf(n: i32, values: usize): f64 {
  let largest: f64 = 0;
  for (let j = 0; j < n; j++) largest = max(largest, load<f64>(values + ((<usize>j) << 3)));
  return largest;
}

/** ‖I − a‖₁ from the sums of the columns, which it changes to those of I − a. */
function distanceFromIdentity(n: i32, factors: usize, stride: usize, sums: usize): f64 {
  for (let j = 0; j < n; j++) {
    const at = sums + ((<usize>j) << 3);
    const diagonal = load<f64>(factors + <usize>j * stride + ((<usize>j) << 3));
    store<f64>(at, load<f64>(at) - abs(diagonal) + abs(1 - diagonal));
  }
  return largestOf(n, sums);
}

/** A strip of b's columns, its rows permuted; what columns past the edge hold does not matter. */
function takeStrip<T>(n: i32, columns: i32, first: i32, b: usize, pivots: usize, side: usize): void {
  for (let i = 0; i < n; i++, side += 32, pivots += 4) {
    const from = b + ((<usize>(load<i32>(pivots) * columns + first)) << 2);
    const row = v128.load(from);
    if (sizeof<T>() == 8) {
      v128.store(side, f64x2.promote_low_f32x4(row));
      v128.store(side, widenHigh(row), 16);
    } else {
      v128.store(side, row);
      v128.store(side, v128.load(from, 16), 16);
    }
  }
}

/** The strip into its columns of out, in f32. */
function giveStrip(n: i32, columns: i32, first: i32, count: i32, side: usize, out: usize): void {
  out += (<usize>first) << 2;
  for (let i = 0; i < n; i++, side += 32, out += (<usize>columns) << 2) {
    const low = f32x4.demote_f64x2_zero(v128.load(side));
    const row = v128.shuffle<f32>(low, f32x4.demote_f64x2_zero(v128.load(side, 16)), 0, 1, 4, 5);
    if (count == 4) v128.store(out, row);
    else storePart(out, row, count);
  }
}

/** The same of a strip of eight. */
function giveSingleStrip(n: i32, columns: i32, first: i32, count: i32, side: usize, out: usize): void {
  out += (<usize>first) << 2;
  for (let i = 0; i < n; i++, side += 32, out += (<usize>columns) << 2) {
    const low = v128.load(side);
    if (count < 4) {
      storePart(out, low, count);
      continue;
    }
    v128.store(out, low);
    const high = v128.load(side, 16);
    if (count == 8) v128.store(out, high, 16);
    else storePart(out + 16, high, count - 4);
  }
}

/**
 * L·U·x = x for one strip in place: what is solved already is subtracted from four rows at once, then those four in
 * order.
 */
function substituteStrip<T>(lu: usize, n: i32, stride: usize, x: usize): void {
  for (let first = 0; first < n; first += 4) {
    const rows = min(4, n - first);
    const left = lu + <usize>first * stride;
    const at = x + ((<usize>first) << 5);
    subtractProduct<T>(rows, first, left, stride, x, 32, at, 32);
    solveLower<T>(rows, left + ((<usize>first) << alignof<T>()), stride, at);
  }
  for (let last = n; last > 0; last -= 4) {
    const first = max(0, last - 4);
    const left = lu + <usize>first * stride;
    const at = x + ((<usize>first) << 5);
    subtractProduct<T>(
      last - first,
      n - last,
      left + ((<usize>last) << alignof<T>()),
      stride,
      x + ((<usize>last) << 5),
      32,
      at,
      32,
    );
    solveUpper<T>(last - first, left + ((<usize>first) << alignof<T>()), stride, at);
  }
}
