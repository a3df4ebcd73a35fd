/** What the tests of this package share: seeded numbers, reading back, and one measure of error. */
import { read, readRows, type Matrix, type RowTable } from '@vastmax/linalg-core';
import { RandomGenerator } from '@vastmax/sparse-data';

/** Normal numbers, the same at every run. */
export function normals(count: number, seed: number, scale = 1): Float64Array {
  const random = new RandomGenerator(seed);
  return Float64Array.from({ length: count }, () => scale * random.normal());
}

export async function valuesOf(matrix: Matrix): Promise<Float64Array> {
  return Float64Array.from(await read(matrix));
}

export async function rowsOf(table: RowTable): Promise<Float64Array> {
  return Float64Array.from(await readRows(table, 0, table.rows));
}

/** Largest difference over the larger of 1 and the largest expected magnitude; NaN stays NaN. */
export function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN;
  let difference = 0;
  let magnitude = 1;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
    magnitude = Math.max(magnitude, Math.abs(expected[i]!));
  }
  return difference / magnitude;
}
