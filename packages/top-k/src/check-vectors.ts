/** The checks of vectors, queries and biases that a caller gives. */
import type { FloatArray } from '@vastmax/linalg-core';
import { TopKError } from './errors.ts';

/** m×width finite numbers in f64. */
export function checkQueries(operation: string, given: ArrayLike<number>, width: number): Float64Array {
  const values = Float64Array.from(given);
  checkNumbers(operation, 'queries', values, width);
  return values;
}

/** count×width finite numbers of f32. */
export function checkVectors(operation: string, given: ArrayLike<number>, width: number): Float32Array {
  const values = given instanceof Float32Array ? given : Float32Array.from(given);
  checkNumbers(operation, 'vectors', values, width);
  return values;
}

function checkNumbers(operation: string, what: string, values: FloatArray, width: number): void {
  if (values.length % width !== 0) {
    throw new TopKError('shape', `${operation}: ${what} has ${values.length} numbers, not whole vectors of ${width}`);
  }
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new TopKError(
      'non-finite',
      `${operation}: number ${i % width} of ${what} ${Math.floor(i / width)} is ${values[i]}; a finite number of f32 is needed`,
    );
  }
}

/** One finite number for each of `count` vectors, where there are any. */
export function checkBiases(operation: string, biases: ArrayLike<number> | undefined, count: number): void {
  if (biases === undefined) return;
  if (biases.length !== count)
    throw new TopKError('shape', `${operation}: ${biases.length} biases for ${count} vectors; one each is needed`);
  for (let i = 0; i < count; i++) {
    if (Number.isFinite(biases[i])) continue;
    throw new TopKError('non-finite', `${operation}: bias ${i} is ${biases[i]}; a finite number is needed`);
  }
}
