/**
 * a·x = b by LAPACK, without transposing anything. LAPACK reads the rows of a as columns, so getrf factorises aᵀ =
 * P·L·U. b read the same way is bᵀ, and a·x = b is xᵀ·P·L·U = bᵀ: two triangular solves from the right on the data as
 * it is stored, then the row exchanges are undone on x. The 1-norm condition of a is the infinity-norm condition of aᵀ.
 *
 * The output layer's systems are I − E with a small E. For ‖E‖₁ = e < 1 the norm of the inverse is between 1/(1 + e)
 * and 1/(1 − e), which for e up to 1/8 is as accurate as gecon and costs nothing. Rejected: getrs, which needs b
 * transposed; dgetrf on a widened copy, which takes twice as long.
 */
import type { FloatArray, Precision } from '@vastmax/linalg-core';
import {
  columnMajor,
  fortranInteger,
  lower,
  noTranspose,
  nonUnit,
  rightSide,
  unit,
  upper,
  type BlasFunctions,
  type LapackFunctions,
} from './native-functions.ts';

/**
 * Writes x into `out`. Returns the reciprocal condition, 0 for a singular a; undefined, with out untouched, when a is
 * not finite.
 */
export type LapackSolve = (
  n: number,
  columns: number,
  a: FloatArray,
  b: FloatArray,
  out: FloatArray,
) => number | undefined;

/** A solver for n ≥ 1 with its own scratch, which grows for larger systems. */
export function createLapackSolve(blas: BlasFunctions, lapack: LapackFunctions, precision: Precision): LapackSolve {
  const create = (length: number): FloatArray =>
    precision === 'f32' ? new Float32Array(length) : new Float64Array(length);
  const infinityNorm = Uint8Array.of('I'.charCodeAt(0));
  const size = fortranInteger(0);
  const info = fortranInteger(0);
  const norm = create(1);
  const estimate = create(1);
  let factors = create(0);
  let work = create(0);
  let pivots = new Int32Array(0);
  let integerWork = new Int32Array(0);
  let sums = new Float64Array(0);

  return (n, columns, a, b, out) => {
    if (pivots.length < n) {
      factors = create(n * n);
      work = create(4 * n);
      pivots = new Int32Array(n);
      integerWork = new Int32Array(n);
      sums = new Float64Array(n);
    }
    sumColumns(n, a, sums);
    const matrixNorm = largestOf(n, sums);
    if (!Number.isFinite(matrixNorm)) return undefined;
    size[0] = n;
    blas.copy(n * n, a, 1, factors, 1);
    lapack.getrf(size, size, factors, size, pivots, info);
    if (info[0] !== 0) return 0;
    for (let i = 0; i < n; i++) sums[i] = sums[i]! - Math.abs(a[i * (n + 1)]!) + Math.abs(1 - a[i * (n + 1)]!);
    const distance = largestOf(n, sums);
    if (distance <= nearIdentity) estimate[0] = (1 - distance) / matrixNorm;
    else {
      norm[0] = matrixNorm;
      lapack.gecon(infinityNorm, size, factors, size, norm, estimate, work, integerWork, info, 1);
    }
    if (columns === 0) return estimate[0]!;

    blas.copy(n * columns, b, 1, out, 1);
    blas.trsm(columnMajor, rightSide, upper, noTranspose, nonUnit, columns, n, 1, factors, n, out, columns);
    blas.trsm(columnMajor, rightSide, lower, noTranspose, unit, columns, n, 1, factors, n, out, columns);
    for (let row = n - 1; row >= 0; row--) {
      const other = pivots[row]! - 1;
      if (other !== row) exchangeRows(out, row * columns, other * columns, columns);
    }
    return estimate[0]!;
  };
}

/**
 * Largest ‖I − a‖₁ = e for which the upper bound 1/(1 − e) is used as ‖a⁻¹‖₁: the layer multiplies the conditions of
 * many steps.
 */
const nearIdentity = 1 / 8;

/** sums = Σᵢ|a_ij| of each column, four rows at a time. */
function sumColumns(n: number, a: FloatArray, sums: Float64Array): void {
  sums.fill(0, 0, n);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    for (let j = 0, p = i * n, q = p + n, r = q + n, s = r + n; j < n; j++, p++, q++, r++, s++) {
      sums[j] = sums[j]! + Math.abs(a[p]!) + Math.abs(a[q]!) + Math.abs(a[r]!) + Math.abs(a[s]!);
    }
  }
  for (; i < n; i++) for (let j = 0; j < n; j++) sums[j] = sums[j]! + Math.abs(a[i * n + j]!);
}

/** NaN when any of the values is NaN. */
function largestOf(n: number, values: Float64Array): number {
  let largest = 0;
  for (let j = 0; j < n; j++) largest = Math.max(largest, values[j]!);
  return largest;
}

function exchangeRows(x: FloatArray, first: number, second: number, columns: number): void {
  for (let j = 0, p = first, q = second; j < columns; j++, p++, q++) {
    const value = x[p]!;
    x[p] = x[q]!;
    x[q] = value;
  }
}
