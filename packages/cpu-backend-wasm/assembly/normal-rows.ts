/**
 * Random rows: words that are hashes of row and column, and two normal numbers of two words (Box and Muller). The same
 * operations in the same order as normal-rows.ts of linalg-core, in f64, so that the numbers are the same to the last
 * bit; four numbers at a time. Cut into rows.
 */
import { argument, normalRowsJob, real, setArgument, setReal, size } from './job';
import { storePart } from './partial-vector';
import { rowAt, rowsPerChunk } from './rows';
import { run } from './run';

const gamma: i32 = <i32>0x9e3779b9;
/** The bits of √½. */
const smallestMantissa: i64 = 0x3fe6a09e667f3bcd;

export function fillNormalRows(
  table: usize,
  shift: i32,
  first: i32,
  count: i32,
  width: i32,
  columns: i32,
  firstKey: i32,
  secondKey: i32,
  scale: f64,
): void {
  setArgument(0, table);
  setArgument(1, shift);
  setArgument(2, first);
  setArgument(3, count);
  setArgument(4, width);
  setArgument(5, columns);
  setArgument(6, firstKey);
  setArgument(7, secondKey);
  setReal(8, scale);
  const each = rowsPerChunk(width);
  run(normalRowsJob, (count + each - 1) / each);
}

export function normalRowsChunk(chunk: i32): void {
  const bytes = (<usize>size(4)) << 2;
  const each = rowsPerChunk(size(4));
  const first = size(2) + chunk * each;
  const end = min(first + each, size(2) + size(3));
  for (let row = first; row < end; row++) {
    const k1 = mix(size(6) + row * gamma);
    const out = rowAt(argument(0), size(1), row, bytes);
    const drawn = (<usize>size(5)) << 2;
    drawRow(k1, mix(k1 + size(7)), real(8), size(5), out);
    memory.fill(out + drawn, 0, bytes - drawn);
  }
}

function mix(value: i32): i32 {
  let x = <u32>value;
  x = (x ^ (x >> 16)) * 0x85ebca6b;
  x = (x ^ (x >> 13)) * 0xc2b2ae35;
  return x ^ (x >> 16);
}

function mix4(x: v128): v128 {
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 16)), i32x4.splat(0x85ebca6b));
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 13)), i32x4.splat(0xc2b2ae35));
  return v128.xor(x, i32x4.shr_u(x, 16));
}

function drawRow(k1: i32, k2: i32, scale: f64, columns: i32, out: usize): void {
  let counters = i32x4.add(i32x4.splat(k1), i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(gamma)));
  const step = i32x4.splat(4 * gamma);
  const key = i32x4.splat(k2);
  const scales = f64x2.splat(scale);
  for (let column = 0; column < columns; column += 4, out += 16) {
    const words = mix4(v128.xor(mix4(counters), key));
    counters = i32x4.add(counters, step);
    const radius = f64x2.sqrt(f64x2.mul(f64x2.splat(-2), logOf(v128.shuffle<i32>(words, words, 0, 2, 0, 2))));
    const second = v128.shuffle<i32>(words, words, 1, 3, 1, 3);
    const place = f64x2.convert_low_i32x4_u(v128.and(second, i32x4.splat(0x3fffffff)));
    const angle = f64x2.mul(
      f64x2.sub(f64x2.mul(f64x2.add(place, f64x2.splat(0.5)), f64x2.splat(9.313225746154785e-10)), f64x2.splat(0.5)),
      f64x2.splat(1.5707963267948966),
    );
    const y = f64x2.mul(angle, angle);
    const sine = f64x2.mul(radius, f64x2.mul(angle, sinePart(y)));
    const cosine = f64x2.mul(radius, cosinePart(y));
    // The quarter of the circle, in both halves of each number of 64 bits.
    const quarter = i32x4.shr_u(v128.shuffle<i32>(second, second, 0, 0, 1, 1), 30);
    const isOdd = i32x4.eq(v128.and(quarter, i32x4.splat(1)), i32x4.splat(1));
    const isUpper = i32x4.ge_u(quarter, i32x4.splat(2));
    const signs = i64x2.splat(1 << 63);
    const x0 = v128.xor(v128.bitselect(sine, cosine, isOdd), v128.and(signs, v128.xor(isOdd, isUpper)));
    const x1 = v128.xor(v128.bitselect(cosine, sine, isOdd), v128.and(signs, isUpper));
    const numbers = v128.shuffle<f32>(
      f32x4.demote_f64x2_zero(f64x2.mul(scales, x0)),
      f32x4.demote_f64x2_zero(f64x2.mul(scales, x1)),
      0,
      4,
      1,
      5,
    );
    if (column + 4 <= columns) v128.store(out, numbers);
    else storePart(out, numbers, columns - column);
  }
}

/** log of 2⁻³²·(word + 1) for the two words at the beginning. */
function logOf(words: v128): v128 {
  const u = f64x2.mul(f64x2.add(f64x2.convert_low_i32x4_u(words), f64x2.splat(1)), f64x2.splat(2.3283064365386963e-10));
  const exponents = i64x2.shr_s(i64x2.sub(u, i64x2.splat(smallestMantissa)), 52);
  const m = i64x2.sub(u, i64x2.shl(exponents, 52));
  const e = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(exponents, exponents, 0, 2, 0, 2));
  const one = f64x2.splat(1);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  let p = f64x2.splat(<f64>2 / 11);
  p = f64x2.add(f64x2.splat(<f64>2 / 9), f64x2.mul(z, p));
  p = f64x2.add(f64x2.splat(<f64>2 / 7), f64x2.mul(z, p));
  p = f64x2.add(f64x2.splat(<f64>2 / 5), f64x2.mul(z, p));
  p = f64x2.add(f64x2.splat(<f64>2 / 3), f64x2.mul(z, p));
  p = f64x2.add(f64x2.splat(2), f64x2.mul(z, p));
  return f64x2.add(f64x2.mul(e, f64x2.splat(0.6931471805599453)), f64x2.mul(s, p));
}

/** sin x/x of y = x². */
function sinePart(y: v128): v128 {
  let p = f64x2.splat(<f64>-1 / 39916800);
  p = f64x2.add(f64x2.splat(<f64>1 / 362880), f64x2.mul(y, p));
  p = f64x2.add(f64x2.splat(<f64>-1 / 5040), f64x2.mul(y, p));
  p = f64x2.add(f64x2.splat(<f64>1 / 120), f64x2.mul(y, p));
  p = f64x2.add(f64x2.splat(<f64>-1 / 6), f64x2.mul(y, p));
  return f64x2.add(f64x2.splat(1), f64x2.mul(y, p));
}

/** cos x of y = x². */
function cosinePart(y: v128): v128 {
  let p = f64x2.splat(<f64>-1 / 3628800);
  p = f64x2.add(f64x2.splat(<f64>1 / 40320), f64x2.mul(y, p));
  p = f64x2.add(f64x2.splat(<f64>-1 / 720), f64x2.mul(y, p));
  p = f64x2.add(f64x2.splat(<f64>1 / 24), f64x2.mul(y, p));
  p = f64x2.add(f64x2.splat(<f64>-1 / 2), f64x2.mul(y, p));
  return f64x2.add(f64x2.splat(1), f64x2.mul(y, p));
}
