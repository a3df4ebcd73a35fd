/** The inverse of a symmetric positive definite matrix in f64 on the host, by Cholesky's A = LLᵀ. Loops run along rows. */

/**
 * @param matrix n×n, symmetric; not changed. n³ operations.
 * @returns A⁻¹, symmetric to the last bit, or undefined when the matrix is not positive definite.
 */
export function invertPositiveDefinite(matrix: Float64Array, n: number): Float64Array | undefined {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const sum = matrix[i * n + j]! - dot(lower, i * n, j * n, j);
      if (i !== j) lower[i * n + j] = sum / lower[j * (n + 1)]!;
      // What is left of a diagonal element by rounding alone is not positive.
      else if (sum > n * Number.EPSILON * matrix[i * (n + 1)]!) lower[i * (n + 1)] = Math.sqrt(sum);
      else return undefined;
    }
  }
  // A row of L⁻¹ and one of L⁻ᵀL⁻¹ is a sum of rows of L⁻¹. What is behind a row's diagonal is 0, so four rows are added
  // at once.
  const inverseLower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const scale = 1 / lower[i * (n + 1)]!;
    for (let k = 0; k < i; k += 4)
      addRows(inverseLower, n, k, (row) => (row < i ? -scale * lower[i * n + row]! : 0), inverseLower, i, i);
    inverseLower[i * (n + 1)] = scale;
  }
  const inverse = new Float64Array(n * n);
  for (let k = 0; k < n; k += 4) {
    for (let i = 0; i < Math.min(n, k + 4); i++)
      addRows(inverseLower, n, k, (row) => inverseLower[row * n + i]!, inverse, i, i + 1);
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) inverse[j * n + i] = inverse[i * n + j]!;
  return inverse;
}

/** Of two runs of one array, in four sums: each addition then waits for the one four before it. */
function dot(values: Float64Array, first: number, second: number, length: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let k = 0;
  for (; k + 3 < length; k += 4) {
    a += values[first + k]! * values[second + k]!;
    b += values[first + k + 1]! * values[second + k + 1]!;
    c += values[first + k + 2]! * values[second + k + 2]!;
    d += values[first + k + 3]! * values[second + k + 3]!;
  }
  for (; k < length; k++) a += values[first + k]! * values[second + k]!;
  return a + b + (c + d);
}

/** Adds rows `first` to `first + 3` of `from`, each times its factor, to the first `length` numbers of a row of `out`. */
function addRows(
  from: Float64Array,
  n: number,
  first: number,
  factorOf: (row: number) => number,
  out: Float64Array,
  row: number,
  length: number,
): void {
  const to = row * n;
  const end = Math.min(length, first + 4);
  if (first + 4 > n) {
    for (let k = first; k < n; k++) {
      const factor = factorOf(k);
      for (let j = 0; j < end; j++) out[to + j]! += factor * from[k * n + j]!;
    }
    return;
  }
  const [a, b, c, d] = [factorOf(first), factorOf(first + 1), factorOf(first + 2), factorOf(first + 3)];
  let place = first * n;
  for (let j = to; j < to + end; j++) {
    out[j]! += a * from[place]! + b * from[place + n]! + (c * from[place + 2 * n]! + d * from[place + 3 * n]!);
    place++;
  }
}
