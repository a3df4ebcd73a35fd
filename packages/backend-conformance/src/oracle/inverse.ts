/**
 * The inverse by Gauss–Jordan elimination with full pivoting in f64: gives the true condition number to compare an
 * estimate with.
 */
export function naiveInverse(a: ArrayLike<number>, n: number): Float64Array {
  const left = Float64Array.from(a);
  const right = new Float64Array(n * n);
  for (let i = 0; i < n; i++) right[i * n + i] = 1;
  const columnOf = new Int32Array(n).fill(-1);
  const used = new Uint8Array(n);
  for (let step = 0; step < n; step++) {
    let row = -1;
    let column = -1;
    for (let i = 0; i < n; i++) {
      if (columnOf[i] !== -1) continue;
      for (let j = 0; j < n; j++) {
        if (used[j] === 1) continue;
        if (row === -1 || Math.abs(left[i * n + j]!) > Math.abs(left[row * n + column]!)) {
          row = i;
          column = j;
        }
      }
    }
    columnOf[row] = column;
    used[column] = 1;
    const pivot = left[row * n + column]!;
    for (let j = 0; j < n; j++) {
      left[row * n + j]! /= pivot;
      right[row * n + j]! /= pivot;
    }
    for (let i = 0; i < n; i++) {
      const factor = left[i * n + column]!;
      if (i === row || factor === 0) continue;
      for (let j = 0; j < n; j++) {
        left[i * n + j]! -= factor * left[row * n + j]!;
        right[i * n + j]! -= factor * right[row * n + j]!;
      }
    }
  }
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) inverse.set(right.subarray(i * n, (i + 1) * n), columnOf[i]! * n);
  return inverse;
}

/** ‖a‖₁: the largest sum of a column's absolute values. */
function oneNorm(a: ArrayLike<number>, n: number): number {
  let largest = 0;
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Math.abs(a[i * n + j]!);
    largest = Math.max(largest, sum);
  }
  return largest;
}

/** 1/(‖a‖₁‖a⁻¹‖₁). */
export function reciprocalConditionOf(a: ArrayLike<number>, n: number): number {
  return 1 / (oneNorm(a, n) * oneNorm(naiveInverse(a, n), n));
}
