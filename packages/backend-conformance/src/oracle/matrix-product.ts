/** The product by its definition: three loops in f64. Slow, and short enough to be obviously correct. */
export interface Sums {
  readonly values: Float64Array;
  /** Σ|a||b| of each sum, for the tolerance. */
  readonly magnitudes: Float64Array;
}

export interface ProductShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly alpha: number;
  readonly beta: number;
}

/** alpha·op(a)·op(b) + beta·old, old m×n; with beta 0 old is not read. */
export function naiveGemm(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  old: ArrayLike<number>,
  shape: ProductShape,
): Sums {
  const { m, n, k, transposeA, transposeB, alpha, beta } = shape;
  const values = new Float64Array(m * n);
  const magnitudes = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      let magnitude = 0;
      for (let p = 0; p < k; p++) {
        const term = a[transposeA ? p * m + i : i * k + p]! * b[transposeB ? j * k + p : p * n + j]!;
        sum += term;
        magnitude += Math.abs(term);
      }
      const kept = beta === 0 ? 0 : beta * old[i * n + j]!;
      values[i * n + j] = alpha * sum + kept;
      magnitudes[i * n + j] = Math.abs(alpha) * magnitude + Math.abs(kept);
    }
  }
  return { values, magnitudes };
}
