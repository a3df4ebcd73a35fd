/**
 * LU with partial pivoting in f64, and the 1-norm condition estimate of Hager (SIAM J. Sci. Stat. Comput. 5(2), 1984)
 * as LAPACK's gecon uses it: a few solves with a and aᵀ climb to a column of a⁻¹ of (nearly) largest norm. It is a
 * lower bound of ‖a⁻¹‖₁, in practice within a factor of three.
 */
import type { FloatArray } from '../backend.ts';

export type Solve = (n: number, columns: number, a: FloatArray, b: FloatArray, out: FloatArray) => number;

/**
 * A solver with scratch of its own that grows when a larger system comes. Returns the reciprocal condition estimate.
 */
export function createSolve(): Solve {
  let factors = new Float64Array(0);
  let pivots = new Int32Array(0);
  let vector = new Float64Array(0);
  let signs = new Float64Array(0);
  let solution = new Float64Array(0);

  return (n, columns, a, b, out) => {
    if (n === 0) return 1;
    if (pivots.length < n) {
      factors = new Float64Array(n * n);
      pivots = new Int32Array(n);
      vector = new Float64Array(n);
      signs = new Float64Array(n);
    }
    if (solution.length < n * columns) solution = new Float64Array(n * columns);
    for (let i = 0; i < n * n; i++) factors[i] = a[i]!;
    const norm = oneNorm(factors, n);
    if (!factorise(factors, n, pivots)) return norm === norm ? 0 : Number.NaN;
    const inverseNorm = estimateInverseNorm(factors, n, vector, signs);

    for (let i = 0; i < n; i++) {
      const source = pivots[i]! * columns;
      for (let j = 0; j < columns; j++) solution[i * columns + j] = b[source + j]!;
    }
    substitute(factors, n, solution, columns);
    for (let i = 0; i < n * columns; i++) out[i] = solution[i]!;
    return 1 / (norm * inverseNorm);
  };
}

function oneNorm(a: Float64Array, n: number): number {
  let largest = 0;
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Math.abs(a[i * n + j]!);
    largest = Math.max(largest, sum);
  }
  return largest;
}

/**
 * In place: unit lower and upper factor; pivots[i] is the row of a that ended up in row i. False when a pivot is
 * exactly 0 or NaN.
 */
function factorise(a: Float64Array, n: number, pivots: Int32Array): boolean {
  for (let i = 0; i < n; i++) pivots[i] = i;
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]!) > Math.abs(a[best * n + k]!)) best = i;
    const pivot = a[best * n + k]!;
    if (!(Math.abs(pivot) > 0)) return false;
    if (best !== k) {
      for (let j = 0; j < n; j++) {
        const kept = a[k * n + j]!;
        a[k * n + j] = a[best * n + j]!;
        a[best * n + j] = kept;
      }
      const kept = pivots[k]!;
      pivots[k] = pivots[best]!;
      pivots[best] = kept;
    }
    for (let i = k + 1; i < n; i++) {
      const factor = (a[i * n + k]! /= pivot);
      if (factor === 0) continue;
      for (let j = k + 1, to = i * n + j, from = k * n + j; j < n; j++, to++, from++) a[to]! -= factor * a[from]!;
    }
  }
  return true;
}

/** L·U·x = x for `columns` right-hand sides stored row-major, in place (rows already permuted). */
function substitute(lu: Float64Array, n: number, x: Float64Array, columns: number): void {
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) subtractRow(x, i, k, lu[i * n + k]!, columns);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) subtractRow(x, i, k, lu[i * n + k]!, columns);
    const diagonal = lu[i * n + i]!;
    for (let j = i * columns; j < (i + 1) * columns; j++) x[j]! /= diagonal;
  }
}

function subtractRow(x: Float64Array, target: number, source: number, factor: number, columns: number): void {
  if (factor === 0) return;
  for (let j = 0, to = target * columns, from = source * columns; j < columns; j++, to++, from++)
    x[to]! -= factor * x[from]!;
}

/**
 * Uᵀ·Lᵀ·x = x for one vector, in place; the permutation does not change a 1-norm estimate's magnitude and is applied by
 * the caller.
 */
function substituteTransposed(lu: Float64Array, n: number, x: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = x[i]!;
    for (let k = 0; k < i; k++) sum -= lu[k * n + i]! * x[k]!;
    x[i] = sum / lu[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i]!;
    for (let k = i + 1; k < n; k++) sum -= lu[k * n + i]! * x[k]!;
    x[i] = sum;
  }
}

/**
 * Works on (LU)⁻¹ = a⁻¹Pᵀ: permuting the columns of a matrix leaves its 1-norm as it is, so the permutation can be left
 * out.
 */
function estimateInverseNorm(lu: Float64Array, n: number, x: Float64Array, signs: Float64Array): number {
  let estimate = 0;
  let previousColumn = -1;
  x.fill(1 / n, 0, n);
  for (let iteration = 0; iteration < 5; iteration++) {
    substitute(lu, n, x, 1);
    let norm = 0;
    for (let i = 0; i < n; i++) norm += Math.abs(x[i]!);
    if (!(norm > estimate)) break;
    estimate = norm;
    for (let i = 0; i < n; i++) signs[i] = x[i]! >= 0 ? 1 : -1;
    substituteTransposed(lu, n, signs);
    let column = 0;
    for (let i = 1; i < n; i++) if (Math.abs(signs[i]!) > Math.abs(signs[column]!)) column = i;
    if (column === previousColumn) break;
    previousColumn = column;
    x.fill(0, 0, n);
    x[column] = 1;
  }
  // Higham's alternating vector guards against an unlucky start: its growth is a lower bound too.
  for (let i = 0; i < n; i++) x[i] = (i % 2 === 0 ? 1 : -1) * (1 + i / Math.max(1, n - 1));
  substitute(lu, n, x, 1);
  let alternating = 0;
  for (let i = 0; i < n; i++) alternating += Math.abs(x[i]!);
  return Math.max(estimate, (2 * alternating) / (3 * n));
}
