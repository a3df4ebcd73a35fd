/**
 * The checks that every operation makes, once, so that kernels need none. Each message names the operation and both
 * values.
 */
import type { Backend } from '../backend.ts';
import { LinalgError } from '../errors.ts';
import { describeShape, type Indices, type Matrix, type RowTable } from '../handles.ts';

type Handle = Matrix | RowTable | Indices;

export function checkAlive(operation: string, role: string, handle: Handle): void {
  if (handle.disposed) throw new LinalgError('disposed', `${operation}: ${role} was disposed`);
  if (handle.backend.disposed) {
    throw new LinalgError('disposed', `${operation}: the backend '${handle.backend.name}' of ${role} was disposed`);
  }
}

/** Alive, and on the backend of `out`, which it returns. */
export function checkOperand(operation: string, role: string, handle: Handle, backend: Backend): void {
  checkAlive(operation, role, handle);
  if (handle.backend !== backend) {
    throw new LinalgError(
      'backend-mismatch',
      `${operation}: ${role} lives on '${handle.backend.name}', out on '${backend.name}'${
        handle.backend.name === backend.name ? ' (two instances)' : ''
      }; read it and write it to the other backend`,
    );
  }
}

export function checkNotAliased(operation: string, role: string, handle: Handle, out: Handle): void {
  if (handle === out) {
    throw new LinalgError(
      'aliasing',
      `${operation}: ${role} and out are the same handle; give out a matrix of its own`,
    );
  }
}

export function checkShape(operation: string, role: string, handle: Matrix, rows: number, columns: number): void {
  if (handle.rows !== rows || handle.columns !== columns) {
    throw new LinalgError('shape', `${operation}: ${role} is ${describeShape(handle)}, expected ${rows}×${columns}`);
  }
}

/** NaN and infinities as a factor are a mistake of the caller, not data. */
export function checkFinite(operation: string, role: string, value: number): void {
  if (!Number.isFinite(value))
    throw new LinalgError('bad-option', `${operation}: ${role} must be a finite number, got ${value}`);
}

export function checkRange(operation: string, what: string, first: number, count: number, available: number): void {
  if (
    !Number.isSafeInteger(first) ||
    !Number.isSafeInteger(count) ||
    first < 0 ||
    count < 0 ||
    first + count > available
  ) {
    throw new LinalgError(
      'index-out-of-range',
      `${operation}: ${count} ${what} from ${first} on were asked for, there are ${available}`,
    );
  }
}

export function checkIndices(operation: string, indices: Indices, rows: number, what: string): void {
  if (indices.maximum >= rows) {
    throw new LinalgError(
      'index-out-of-range',
      `${operation}: index ${indices.maximum} is out of range, ${what} has ${rows} rows (0 to ${rows - 1})`,
    );
  }
}
