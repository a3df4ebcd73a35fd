/**
 * ‖a⁻¹‖₁ estimated as Hager does (SIAM J. Sci. Stat. Comput. 5(2), 1984) and LAPACK's gecon: a few solves with a and aᵀ
 * climb to a column of a⁻¹ of nearly largest norm, a lower bound that is in practice within a factor of three. Works on
 * (LU)⁻¹ = a⁻¹Pᵀ: permuting columns leaves the 1-norm as it is. The steps are those of linalg-core's plain solver,
 * which is its specification.
 */

/** lu n×n with rows of `stride` bytes; x and signs hold n numbers each, padded to a multiple of two. */
export function estimateInverseNorm(lu: usize, n: i32, stride: usize, x: usize, signs: usize): f64 {
  let estimate: f64 = 0;
  let previousColumn = -1;
  for (let i = 0; i < n; i++) store<f64>(x + ((<usize>i) << 3), 1 / <f64>n);
  for (let iteration = 0; iteration < 5; iteration++) {
    substitute(lu, n, stride, x);
    const norm = sumOfMagnitudes(x, n);
    if (!(norm > estimate)) break;
    estimate = norm;
    for (let i = 0; i < n; i++) store<f64>(signs + ((<usize>i) << 3), load<f64>(x + ((<usize>i) << 3)) >= 0 ? 1 : -1);
    substituteTransposed(lu, n, stride, signs);
    let column = 0;
    for (let i = 1; i < n; i++) {
      if (abs(load<f64>(signs + ((<usize>i) << 3))) > abs(load<f64>(signs + ((<usize>column) << 3)))) column = i;
    }
    if (column == previousColumn) break;
    previousColumn = column;
    memory.fill(x, 0, (<usize>n) << 3);
    store<f64>(x + ((<usize>column) << 3), 1);
  }
  // Higham's alternating vector guards against an unlucky start: its growth is a lower bound too.
  for (let i = 0; i < n; i++) {
    const size = 1 + <f64>i / <f64>max(1, n - 1);
    store<f64>(x + ((<usize>i) << 3), i & 1 ? -size : size);
  }
  substitute(lu, n, stride, x);
  return max(estimate, (2 * sumOfMagnitudes(x, n)) / (3 * <f64>n));
}

function sumOfMagnitudes(x: usize, n: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) sum += abs(load<f64>(x + ((<usize>i) << 3)));
  return sum;
}

/** L·U·x = x in place, by dot products along the rows. */
function substitute(lu: usize, n: i32, stride: usize, x: usize): void {
  for (let i = 0; i < n; i++) {
    const at = x + ((<usize>i) << 3);
    store<f64>(at, load<f64>(at) - dot(lu + <usize>i * stride, x, i));
  }
  for (let i = n - 1; i >= 0; i--) {
    const at = x + ((<usize>i) << 3);
    const row = lu + <usize>i * stride + ((<usize>i) << 3);
    store<f64>(at, (load<f64>(at) - dot(row + 8, at + 8, n - 1 - i)) / load<f64>(row));
  }
}

/** Uᵀ·Lᵀ·x = x in place: each number found is subtracted from the others along a row, so that this too reads rows. */
function substituteTransposed(lu: usize, n: i32, stride: usize, x: usize): void {
  for (let k = 0; k < n; k++) {
    const at = x + ((<usize>k) << 3);
    const row = lu + <usize>k * stride + ((<usize>k) << 3);
    const value = load<f64>(at) / load<f64>(row);
    store<f64>(at, value);
    subtract(at + 8, row + 8, value, n - 1 - k);
  }
  for (let k = n - 1; k > 0; k--) subtract(x, lu + <usize>k * stride, load<f64>(x + ((<usize>k) << 3)), k);
}

function dot(a: usize, b: usize, count: i32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let i = 0;
  for (; i + 4 <= count; i += 4, a += 32, b += 32) {
    s0 = f64x2.add(s0, f64x2.mul(v128.load(a), v128.load(b)));
    s1 = f64x2.add(s1, f64x2.mul(v128.load(a, 16), v128.load(b, 16)));
  }
  s0 = f64x2.add(s0, s1);
  let sum = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (; i < count; i++, a += 8, b += 8) sum += load<f64>(a) * load<f64>(b);
  return sum;
}

function subtract(target: usize, source: usize, factor: f64, count: i32): void {
  const x = f64x2.splat(factor);
  let i = 0;
  for (; i + 2 <= count; i += 2, target += 16, source += 16) {
    v128.store(target, f64x2.sub(v128.load(target), f64x2.mul(x, v128.load(source))));
  }
  if (i < count) store<f64>(target, load<f64>(target) - factor * load<f64>(source));
}
