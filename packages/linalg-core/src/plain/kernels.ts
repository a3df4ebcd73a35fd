/**
 * The loops of the plain backend but for the product (gemm.ts): elementwise functions, reductions and small systems.
 * Sums accumulate in f64 whatever the storage, which keeps long f32 sums accurate.
 *
 * A system is solved by LU with partial pivoting in f64; its condition is the 1-norm estimate of Hager (SIAM J. Sci.
 * Stat. Comput. 5(2), 1984) as in LAPACK's gecon: a few solves with a and aᵀ find a column of a⁻¹ of (nearly) largest
 * norm. It is a lower bound of ‖a⁻¹‖₁, in practice within a factor of three.
 */
import type { BinaryOperation, FloatArray, ReduceOperation, UnaryOperation } from '../kernel-types.ts';

const inverseSqrt2 = Math.SQRT1_2;
const inverseSqrt2Pi = 1 / Math.sqrt(2 * Math.PI);

function standardNormalCdf(x: number): number {
  return 0.5 * (1 + errorFunction(x * inverseSqrt2));
}

/** The definition of every unary operation, one number at a time. */
export const unaryFunctions: Readonly<Record<UnaryOperation, (x: number) => number>> = {
  abs: Math.abs,
  exp: Math.exp,
  gelu: (x) => x * standardNormalCdf(x),
  geluDerivative: (x) => standardNormalCdf(x) + x * inverseSqrt2Pi * Math.exp(-0.5 * x * x),
  log: Math.log,
  reciprocal: (x) => 1 / x,
  relu: (x) => (x > 0 ? x : x === x ? 0 : x),
  // Both branches keep the exponent negative, so neither overflows.
  sigmoid: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  softplus: (x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))),
  sqrt: Math.sqrt,
  square: (x) => x * x,
  step: (x) => (x > 0 ? 1 : x === x ? 0 : x),
  tanh: Math.tanh,
};

export function applyUnary(operation: UnaryOperation, x: FloatArray, out: FloatArray, length: number): void {
  // The common cheap ones are written out: a call through the table costs more than their arithmetic.
  if (operation === 'square') {
    for (let i = 0; i < length; i++) out[i] = x[i]! * x[i]!;
  } else if (operation === 'reciprocal') {
    for (let i = 0; i < length; i++) out[i] = 1 / x[i]!;
  } else if (operation === 'sqrt') {
    for (let i = 0; i < length; i++) out[i] = Math.sqrt(x[i]!);
  } else {
    const apply = unaryFunctions[operation];
    for (let i = 0; i < length; i++) out[i] = apply(x[i]!);
  }
}

/** out = a ∘ b; b has strides 0 in the dimensions it is broadcast in. */
export function applyBinary(
  operation: BinaryOperation,
  a: FloatArray,
  b: FloatArray,
  out: FloatArray,
  rows: number,
  columns: number,
  rowStride: number,
  columnStride: number,
): void {
  for (let row = 0, i = 0; row < rows; row++) {
    let j = row * rowStride;
    const end = i + columns;
    if (operation === 'add') for (; i < end; i++, j += columnStride) out[i] = a[i]! + b[j]!;
    else if (operation === 'subtract') for (; i < end; i++, j += columnStride) out[i] = a[i]! - b[j]!;
    else if (operation === 'multiply') for (; i < end; i++, j += columnStride) out[i] = a[i]! * b[j]!;
    else for (; i < end; i++, j += columnStride) out[i] = a[i]! / b[j]!;
  }
}

const twoOverSqrtPi = 2 / Math.sqrt(Math.PI);

/**
 * erf(x) to f64 accuracy: the Maclaurin series where it converges without cancellation (|x| < 2.5), and the continued
 * fraction of erfc beyond (Abramowitz & Stegun 7.1.6 and 7.1.14). Slower than a rational fit, and needs no table of
 * coefficients to be trusted.
 */
export function errorFunction(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude < 2.5) return series(x);
  if (magnitude > 6) return Math.sign(x);
  if (magnitude !== magnitude) return x;
  return Math.sign(x) * (1 - complement(magnitude));
}

/** erf(x) = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)): all terms have one sign. */
function series(x: number): number {
  const square = x * x;
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (2 * square) / (2 * n + 1);
    sum += term;
    if (Math.abs(term) <= 1e-17 * Math.abs(sum)) break;
  }
  return twoOverSqrtPi * Math.exp(-square) * sum;
}

/** erfc(x) = e^(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))), evaluated from the inside. */
function complement(x: number): number {
  let fraction = x;
  for (let n = 60; n >= 1; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}

export function reduceInto(
  operation: ReduceOperation,
  x: FloatArray,
  rows: number,
  columns: number,
  out: FloatArray,
  outRows: number,
  outColumns: number,
): void {
  if (outColumns === columns && outRows === rows) {
    for (let i = 0; i < rows * columns; i++)
      out[i] = combine(operation, operation === 'maximum' ? -Infinity : 0, x[i]!);
  } else if (outRows === 1 && outColumns === 1) {
    out[0] = reduceRun(operation, x, 0, rows * columns, 1);
  } else if (outColumns === 1) {
    for (let row = 0; row < rows; row++) out[row] = reduceRun(operation, x, row * columns, columns, 1);
  } else {
    for (let column = 0; column < columns; column++) out[column] = reduceRun(operation, x, column, rows, columns);
  }
}

function reduceRun(operation: ReduceOperation, x: FloatArray, offset: number, count: number, stride: number): number {
  let result = operation === 'maximum' ? -Infinity : 0;
  if (operation === 'sum') for (let i = 0; i < count; i++) result += x[offset + i * stride]!;
  else for (let i = 0; i < count; i++) result = combine(operation, result, x[offset + i * stride]!);
  return result;
}

/** Math.max keeps NaN, so a poisoned row stays visible. */
function combine(operation: ReduceOperation, result: number, value: number): number {
  if (operation === 'maximum') return Math.max(result, value);
  return result + (operation === 'sum' ? value : value * value);
}

/** x_ij ← exp(x_ij − max_j x_ij), with the maxima and the sums of the rows. */
export function exponentiateRowsOf(
  x: FloatArray,
  rows: number,
  columns: number,
  maxima: FloatArray,
  sums: FloatArray,
): void {
  for (let row = 0, i = 0; row < rows; row++) {
    const largest = reduceRun('maximum', x, i, columns, 1);
    let sum = 0;
    for (const end = i + columns; i < end; i++) {
      x[i] = Math.exp(x[i]! - largest);
      sum += x[i]!;
    }
    maxima[row] = largest;
    sums[row] = sum;
  }
}

export function rowDotInto(a: FloatArray, b: FloatArray, out: FloatArray, rows: number, columns: number): void {
  for (let row = 0, i = 0; row < rows; row++) {
    let sum = 0;
    for (const end = i + columns; i < end; i++) sum += a[i]! * b[i]!;
    out[row] = sum;
  }
}

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
