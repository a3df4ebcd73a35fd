/**
 * Rows in 8 bits: x ≈ scale·c with whole numbers |c| ≤ 127, and how far the row is from that; and the products of such
 * rows with one query of whole numbers, which are exact sums of i32. A row of codes has a multiple of 16 bytes, zeros at
 * its end. Cut into rows. Codes and factors are tables: their rows are found one by one, so that a group of four may lie
 * in two pieces.
 */
import { argument, quantizedProductsJob, quantizeRowsJob, real, setArgument, setReal, size } from './job';
import { storePart } from './partial-vector';
import { rowAt, rowsPerChunk } from './rows';
import { run } from './run';

/** Beyond these a row has no codes, and is as far from them as it is long: the inverse of its scale would overflow. */
const smallest: f32 = 1e-30;
const largest: f32 = 1e30;
const most: f32 = 127;
/** The computed distance is raised by more than its roundings, those of the smallest numbers of f32 too. */
const raised: f64 = 1.000002;
const unit: f64 = 1.5e-45;

/** Rows first … of the source, to the same rows of codes (bytes in a row) and of factors (scale, distance). */
export function quantizeRows(
  source: usize,
  sourceShift: i32,
  first: i32,
  count: i32,
  columns: i32,
  codes: usize,
  codesShift: i32,
  codesBytes: i32,
  factors: usize,
  factorsShift: i32,
): void {
  setArgument(0, source);
  setArgument(1, sourceShift);
  setArgument(2, first);
  setArgument(3, count);
  setArgument(4, columns);
  setArgument(5, codes);
  setArgument(6, codesShift);
  setArgument(7, codesBytes);
  setArgument(8, factors);
  setArgument(9, factorsShift);
  const each = rowsPerChunk(columns);
  run(quantizeRowsJob, (count + each - 1) / each);
}

export function quantizeRowsChunk(chunk: i32): void {
  const columns = size(4);
  const bytes = (<usize>columns) << 2;
  const codesBytes = argument(7);
  const each = rowsPerChunk(columns);
  const first = size(2) + chunk * each;
  const end = min(first + each, size(2) + size(3));
  for (let row = first; row < end; row++) {
    quantizeRow(
      rowAt(argument(0), size(1), row, bytes),
      columns,
      rowAt(argument(5), size(6), row, codesBytes),
      codesBytes,
      rowAt(argument(8), size(9), row, 8),
    );
  }
}

function quantizeRow(x: usize, columns: i32, codes: usize, codesBytes: usize, factors: usize): void {
  const extent = largestOf(x, columns);
  memory.fill(codes, 0, codesBytes);
  const isCoded = extent >= smallest && extent <= largest;
  const scale: f32 = isCoded ? extent / most : 0;
  const inverse: f32 = isCoded ? most / extent : 0;
  let sums = f64x2.splat(0);
  let i = 0;
  const scales = f64x2.splat(<f64>scale);
  const inverses = f32x4.splat(inverse);
  for (; i + 4 <= columns; i += 4, x += 16, codes += 4) {
    const values = v128.load(x);
    // A conversion of f32 to whole numbers cuts: the nearest come first.
    const whole = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(values, inverses)));
    const narrow = i16x8.narrow_i32x4_s(whole, whole);
    v128.store_lane<u32>(codes, i8x16.narrow_i16x8_s(narrow, narrow), 0);
    const low = f64x2.sub(f64x2.promote_low_f32x4(values), f64x2.mul(scales, f64x2.convert_low_i32x4_s(whole)));
    const high = f64x2.sub(
      f64x2.promote_low_f32x4(v128.shuffle<f32>(values, values, 2, 3, 2, 3)),
      f64x2.mul(scales, f64x2.convert_low_i32x4_s(v128.shuffle<i32>(whole, whole, 2, 3, 2, 3))),
    );
    sums = f64x2.add(sums, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)));
  }
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; i < columns; i++, x += 4, codes++) {
    const value = load<f32>(x);
    const whole = <i32>nearest(value * inverse);
    store<i8>(codes, <i8>whole);
    const rest = <f64>value - <f64>scale * <f64>whole;
    sum += rest * rest;
  }
  store<f32>(factors, scale);
  store<f32>(factors, <f32>(sqrt(sum) * raised + unit), 4);
}

/** max |x|; NaN where there is one. */
function largestOf(x: usize, columns: i32): f32 {
  let largest4 = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= columns; i += 4, x += 16) largest4 = f32x4.max(largest4, f32x4.abs(v128.load(x)));
  let result = max(
    max(f32x4.extract_lane(largest4, 0), f32x4.extract_lane(largest4, 1)),
    max(f32x4.extract_lane(largest4, 2), f32x4.extract_lane(largest4, 3)),
  );
  for (; i < columns; i++, x += 4) result = max(result, abs(load<f32>(x)));
  return result;
}

const rowsPerProductsChunk: i32 = 1024;

/**
 * out_i = alpha·scale·(codes·query) + beta·distance for rows first + i.
 * @param query codesBytes whole numbers of f32
 * @param scratch for the same in i16
 */
export function quantizedProducts(
  codes: usize,
  codesShift: i32,
  codesBytes: i32,
  factors: usize,
  factorsShift: i32,
  first: i32,
  count: i32,
  query: usize,
  alpha: f32,
  beta: f32,
  out: usize,
  scratch: usize,
): void {
  for (let i = 0; i < codesBytes; i++)
    store<i16>(scratch + ((<usize>i) << 1), <i16>load<f32>(query + ((<usize>i) << 2)));
  setArgument(0, codes);
  setArgument(1, codesShift);
  setArgument(2, codesBytes);
  setArgument(3, factors);
  setArgument(4, factorsShift);
  setArgument(5, first);
  setArgument(6, count);
  setArgument(7, scratch);
  setReal(8, alpha);
  setReal(9, beta);
  setArgument(10, out);
  run(quantizedProductsJob, (count + rowsPerProductsChunk - 1) / rowsPerProductsChunk);
}

export function quantizedProductsChunk(chunk: i32): void {
  const bytes = argument(2);
  const last = min((chunk + 1) * rowsPerProductsChunk, size(6));
  const first = size(5);
  for (let i = chunk * rowsPerProductsChunk; i < last;) {
    const row = first + i;
    // Rows that lie one after the other in both tables.
    const count = min(last - i, min(rowsLeft(row, size(1)), rowsLeft(row, size(4))));
    spanProducts(
      count,
      rowAt(argument(0), size(1), row, bytes),
      bytes,
      argument(7),
      rowAt(argument(3), size(4), row, 8),
      <f32>real(8),
      <f32>real(9),
      argument(10) + ((<usize>i) << 2),
    );
    i += count;
  }
}

/** How many rows from `row` on are in its piece. */
function rowsLeft(row: i32, shift: i32): i32 {
  return (1 << shift) - (row & ((1 << shift) - 1));
}

function spanProducts(
  count: i32,
  codes: usize,
  bytes: usize,
  query: usize,
  factors: usize,
  alpha: f32,
  beta: f32,
  out: usize,
): void {
  const alphas = f32x4.splat(alpha);
  const betas = f32x4.splat(beta);
  for (let i = 0; i < count; i += 4, codes += bytes << 2, factors += 32, out += 16) {
    // Beyond the last row the last one is computed again.
    const left = count - i;
    const b = left > 1 ? codes + bytes : codes;
    const c = left > 2 ? codes + 2 * bytes : codes;
    const d = left > 3 ? codes + 3 * bytes : codes;
    const products = f32x4.convert_i32x4_s(fourProducts(codes, b, c, d, bytes, query));
    const low = v128.load(factors);
    const high = left > 2 ? v128.load(factors, 16) : low;
    const scales = v128.shuffle<f32>(low, high, 0, 2, 4, 6);
    const distances = v128.shuffle<f32>(low, high, 1, 3, 5, 7);
    const values = f32x4.add(f32x4.mul(alphas, f32x4.mul(scales, products)), f32x4.mul(betas, distances));
    if (left > 3) v128.store(out, values);
    else storePart(out, values, left);
  }
}

/** The sums of four rows. */
function fourProducts(a: usize, b: usize, c: usize, d: usize, bytes: usize, query: usize): v128 {
  let sa = i32x4.splat(0);
  let sb = sa;
  let sc = sa;
  let sd = sa;
  for (let i: usize = 0; i < bytes; i += 16, query += 32) {
    const low = v128.load(query);
    const high = v128.load(query, 16);
    sa = i32x4.add(sa, both(a + i, low, high));
    sb = i32x4.add(sb, both(b + i, low, high));
    sc = i32x4.add(sc, both(c + i, low, high));
    sd = i32x4.add(sd, both(d + i, low, high));
  }
  const ab = i32x4.add(v128.shuffle<i32>(sa, sb, 0, 4, 1, 5), v128.shuffle<i32>(sa, sb, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(sc, sd, 0, 4, 1, 5), v128.shuffle<i32>(sc, sd, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

function both(codes: usize, low: v128, high: v128): v128 {
  return i32x4.add(
    i32x4.dot_i16x8_s(v128.load_ext<i8>(codes), low),
    i32x4.dot_i16x8_s(v128.load_ext<i8>(codes, 8), high),
  );
}
