/** Operands on the backend together with their values on the host. */
import {
  createHostArray,
  read,
  write,
  writeIndices,
  type FloatArray,
  type Indices,
  type Matrix,
} from '@vastmax/linalg-core';
import type { CaseContext } from './conformance-case.ts';

export interface KnownMatrix {
  readonly matrix: Matrix;
  /** rows·columns numbers, exactly those on the backend. */
  readonly values: FloatArray;
}

/** Uniform in [-1, 1). */
export function randomMatrix(context: CaseContext, rows: number, columns: number): KnownMatrix {
  return knownMatrix(context, rows, columns, context.random.values(rows * columns, context.backend.precision));
}

/** `values`, rounded to the precision of the backend. */
export function knownMatrix(
  context: CaseContext,
  rows: number,
  columns: number,
  values: ArrayLike<number>,
): KnownMatrix {
  const rounded = createHostArray(context.backend, values.length);
  rounded.set(values);
  const matrix = context.scope.matrix(rows, columns);
  write(rounded, matrix);
  return { matrix, values: rounded };
}

/** A matrix that must not be read: NaN everywhere. */
export function poisonedMatrix(context: CaseContext, rows: number, columns: number): Matrix {
  return knownMatrix(context, rows, columns, new Float64Array(rows * columns).fill(Number.NaN)).matrix;
}

export function knownIndices(context: CaseContext, values: ArrayLike<number>): Indices {
  const indices = context.scope.indices(values.length);
  writeIndices(Int32Array.from(values), indices);
  return indices;
}

/** What a matrix holds now. */
export function numbersOf(matrix: Matrix): Promise<FloatArray> {
  return read(matrix);
}
