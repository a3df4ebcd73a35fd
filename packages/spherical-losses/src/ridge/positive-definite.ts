/** The inverse of a symmetric positive definite matrix in f64 on the host, by Cholesky's A = LLᵀ. Loops run along rows. */

/**
 * @param matrix n×n, symmetric; not changed. n³ operations.
 * @returns A⁻¹, symmetric to the last bit, or undefined when the matrix is not positive definite.
 */
export function invertPositiveDefinite(matrix: Float64Array, n: number): Float64Array | undefined {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!;
      if (i !== j) lower[i * n + j] = sum / lower[j * (n + 1)]!;
      // What is left of a diagonal element by rounding alone is not positive.
      else if (sum > n * Number.EPSILON * matrix[i * (n + 1)]!) lower[i * (n + 1)] = Math.sqrt(sum);
      else return undefined;
    }
  }
  const inverseLower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const scale = 1 / lower[i * (n + 1)]!;
    for (let k = 0; k < i; k++) {
      const factor = -scale * lower[i * n + k]!;
      for (let j = 0; j <= k; j++) inverseLower[i * n + j]! += factor * inverseLower[k * n + j]!;
    }
    inverseLower[i * (n + 1)] = scale;
  }
  const inverse = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    for (let i = 0; i <= k; i++) {
      const factor = inverseLower[k * n + i]!;
      for (let j = 0; j <= i; j++) inverse[i * n + j]! += factor * inverseLower[k * n + j]!;
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) inverse[j * n + i] = inverse[i * n + j]!;
  return inverse;
}
