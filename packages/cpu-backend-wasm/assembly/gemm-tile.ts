/**
 * A 2×16 block of the product in eight vectors. Each step along the depth loads four vectors of b and splats two
 * numbers of a for eight multiply-adds: enough independent sums to hide the latency, and few enough to stay in the
 * sixteen registers of x86-64. Rows of a are read as they lie, b where it is or from a panel. The lab has the other
 * shapes; V8 (Node 20) spills registers from nine sums on, and when two steps are written out.
 */
import { addScaled } from './accumulate';
import { storePart } from './partial-vector';

export const tileRows: i32 = 2;
export const tileColumns: i32 = 16;

/**
 * @param a the first of `rows` (1 or 2) rows, which are strideA bytes apart
 * @param b the first of `depth` groups of sixteen numbers, which are strideB bytes apart; of the last columns only
 * `columns` count
 * @param factors alpha and beta as two f64, read after the loop: as arguments they would hold two registers that the
 * loop needs
 */
export function multiplyTile(
  depth: i32,
  a: usize,
  strideA: usize,
  b: usize,
  strideB: usize,
  factors: usize,
  out: usize,
  stride: usize,
  rows: i32,
  columns: i32,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c02 = c00;
  let c03 = c00;
  let c10 = c00;
  let c11 = c00;
  let c12 = c00;
  let c13 = c00;
  // The row that a last tile does not have is the first again.
  let second = rows > 1 ? a + strideA : a;
  for (const end = a + ((<usize>depth) << 2); a < end; a += 4, second += 4, b += strideB) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    const b3 = v128.load(b, 48);
    let x = v128.load_splat<f32>(a);
    c00 = multiplyAdd(x, b0, c00);
    c01 = multiplyAdd(x, b1, c01);
    c02 = multiplyAdd(x, b2, c02);
    c03 = multiplyAdd(x, b3, c03);
    x = v128.load_splat<f32>(second);
    c10 = multiplyAdd(x, b0, c10);
    c11 = multiplyAdd(x, b1, c11);
    c12 = multiplyAdd(x, b2, c12);
    c13 = multiplyAdd(x, b3, c13);
  }
  const alpha = <f32>load<f64>(factors);
  const beta = load<f64>(factors, 8);
  const factor = f32x4.splat(alpha);
  if (beta == 0 && columns >= 16) {
    v128.store(out, f32x4.mul(factor, c00));
    v128.store(out, f32x4.mul(factor, c01), 16);
    v128.store(out, f32x4.mul(factor, c02), 32);
    v128.store(out, f32x4.mul(factor, c03), 48);
    if (rows > 1) {
      v128.store(out + stride, f32x4.mul(factor, c10));
      v128.store(out + stride, f32x4.mul(factor, c11), 16);
      v128.store(out + stride, f32x4.mul(factor, c12), 32);
      v128.store(out + stride, f32x4.mul(factor, c13), 48);
    }
    return;
  }
  // Tiles on an edge, and products that are added.
  storeRow(c00, c01, c02, c03, alpha, beta, out, columns);
  if (rows > 1) storeRow(c10, c11, c12, c13, alpha, beta, out + stride, columns);
}

/** x·y + sum, rounded once or twice: as the machine does it in one instruction where relaxed SIMD lets it. */
export function multiplyAdd(x: v128, y: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(x, y, sum);
  return f32x4.add(sum, f32x4.mul(x, y));
}

function storeRow(c0: v128, c1: v128, c2: v128, c3: v128, alpha: f32, beta: f64, out: usize, columns: i32): void {
  const factor = f32x4.splat(alpha);
  storeVector(f32x4.mul(factor, c0), beta, out, columns);
  if (columns > 4) storeVector(f32x4.mul(factor, c1), beta, out + 16, columns - 4);
  if (columns > 8) storeVector(f32x4.mul(factor, c2), beta, out + 32, columns - 8);
  if (columns > 12) storeVector(f32x4.mul(factor, c3), beta, out + 48, columns - 12);
}

/** beta 0 does not read out: 0·NaN would be NaN. */
function storeVector(value: v128, beta: f64, out: usize, columns: i32): void {
  if (beta != 0) value = addScaled(value, beta, v128.load(out));
  if (columns >= 4) v128.store(out, value);
  else storePart(out, value, columns);
}
