/** What a solution is judged by, in f64. */

/** Largest over the columns of ‖b − a·x‖∞ in units of 8·n·ε·(‖a‖∞‖x‖∞ + ‖b‖∞): Higham, 2nd ed., §9.3. */
export function backwardErrorOf(a: Float32Array, x: Float32Array, b: Float32Array, n: number): number {
  const columns = b.length / n;
  let normOfA = 0;
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let p = 0; p < n; p++) sum += Math.abs(a[i * n + p]!);
    normOfA = Math.max(normOfA, sum);
  }
  let largest = 0;
  for (let j = 0; j < columns; j++) {
    let [residual, normOfX, normOfB] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      let sum = b[i * columns + j]!;
      for (let p = 0; p < n; p++) sum -= a[i * n + p]! * x[p * columns + j]!;
      if (!(Math.abs(sum) <= residual)) residual = Math.abs(sum);
      normOfX = Math.max(normOfX, Math.abs(x[i * columns + j]!));
      normOfB = Math.max(normOfB, Math.abs(b[i * columns + j]!));
    }
    const error = residual / (8 * n * 2 ** -23 * (normOfA * normOfX + normOfB));
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

/** ‖a‖₁‖a⁻¹‖₁ by Gauss-Jordan with row exchanges. */
export function conditionOf(a: Float32Array, n: number): number {
  const width = 2 * n;
  const rows = Array.from({ length: n }, (_, i) =>
    Float64Array.from({ length: width }, (_column, j) => (j < n ? a[i * n + j]! : Number(j - n === i))),
  );
  for (let c = 0; c < n; c++) {
    let best = c;
    for (let i = c + 1; i < n; i++) if (Math.abs(rows[i]![c]!) > Math.abs(rows[best]![c]!)) best = i;
    [rows[c], rows[best]] = [rows[best]!, rows[c]!];
    const pivotRow = rows[c]!;
    const pivot = pivotRow[c]!;
    for (let j = 0; j < width; j++) pivotRow[j]! /= pivot;
    for (let i = 0; i < n; i++) {
      const row = rows[i]!;
      const factor = row[c]!;
      if (i !== c && factor !== 0) for (let j = c; j < width; j++) row[j]! -= factor * pivotRow[j]!;
    }
  }
  let norm = 0;
  for (let j = 0; j < n; j++)
    norm = Math.max(
      norm,
      rows.reduce((sum, row) => sum + Math.abs(row[n + j]!), 0),
    );
  let normOfA = 0;
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Math.abs(a[i * n + j]!);
    normOfA = Math.max(normOfA, sum);
  }
  return norm * normOfA;
}
