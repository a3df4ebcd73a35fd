/**
 * How shapes combine, how a matrix is expanded to a larger one, and how a gradient is added up again over what was
 * expanded.
 */
import { binary, describeShape, fill, reduce, rowDot, type Matrix } from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import type { Tape } from '../tape.ts';
import type { Variable } from '../variable.ts';

export interface Shape {
  readonly rows: number;
  readonly columns: number;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.rows === b.rows && a.columns === b.columns;
}

/** Each dimension agrees, or is 1 in one operand and taken from the other. */
export function broadcastShape(operation: string, a: Shape, b: Shape): Shape {
  const rowsFit = a.rows === b.rows || a.rows === 1 || b.rows === 1;
  const columnsFit = a.columns === b.columns || a.columns === 1 || b.columns === 1;
  if (!rowsFit || !columnsFit) {
    throw new AutodiffError(
      'shape',
      `${operation}: a is ${describeShape(a)}, b is ${describeShape(b)}; ${rowsFit ? 'the columns' : 'the rows'} must agree, or be 1 in one of them`,
    );
  }
  return { rows: a.rows === 1 ? b.rows : a.rows, columns: a.columns === 1 ? b.columns : a.columns };
}

/** out = x, repeated over the dimensions in which x is 1. */
export function expandInto(x: Matrix, out: Matrix): void {
  fill(0, out);
  binary('add', out, x, out);
}

/** Σ of `full` over the dimensions in which `shape` is 1, in a new matrix of the tape. */
export function sumTo(tape: Tape, full: Matrix, shape: Shape): Matrix {
  const out = tape.allocate(shape.rows, shape.columns);
  reduce('sum', full, out);
  return out;
}

/**
 * Σ of a∘b likewise, where a has the full shape and b may be broadcast. Sums along rows need no product of the full
 * size.
 */
export function productSumTo(tape: Tape, a: Matrix, b: Matrix, shape: Shape): Matrix {
  if (shape.rows === a.rows && shape.columns === 1 && sameShape(a, b)) {
    const out = tape.allocate(shape.rows, 1);
    rowDot(a, b, out);
    return out;
  }
  const product = tape.allocate(a.rows, a.columns);
  binary('multiply', a, b, product);
  return sameShape(product, shape) ? product : sumTo(tape, product, shape);
}

/** What was computed in full goes to an input that may have been broadcast. */
export function reduced(tape: Tape, full: Matrix, input: Variable): Matrix {
  return sameShape(full, input) ? full : sumTo(tape, full, input);
}
