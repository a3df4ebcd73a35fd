/**
 * Reductions and row dot products. Sums accumulate in f64 whatever the storage, which is what makes long f32 sums
 * usable.
 */
import type { FloatArray, ReduceOperation } from '../backend.ts';

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

export function rowDotInto(a: FloatArray, b: FloatArray, out: FloatArray, rows: number, columns: number): void {
  for (let row = 0, i = 0; row < rows; row++) {
    let sum = 0;
    for (const end = i + columns; i < end; i++) sum += a[i]! * b[i]!;
    out[row] = sum;
  }
}
