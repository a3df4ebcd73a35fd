/**
 * Elementwise operations of one and of two operands. Each derivative is written with the output where that saves a
 * kernel (tanh' = 1 − y²), otherwise with the input, which its owner must not change before the last backward call
 * anyway. Every one costs O(m·n), forward and backward.
 *
 * Two operands: the kernels broadcast their second one only, so a broadcast first one is exchanged (add, multiply),
 * negated (subtract) or expanded into the output, where the result goes anyway. Gradients of a broadcast operand are
 * reduced before they are scaled, divided or negated, so that this is done on the small shape.
 */
import {
  affine,
  binary,
  describeShape,
  fill,
  reduce,
  rowDot,
  unary,
  type BinaryOperation,
  type Matrix,
  type UnaryOperation,
} from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import { commonTape, type Recorder, type Variable } from '../variable.ts';

/** Writes the input's gradient into `contribution` (of undefined content), from that of the output, x and y. */
type Derivative = (gradient: Matrix, x: Matrix, y: Matrix, contribution: Matrix) => void;

function apply(operation: UnaryOperation, x: Variable, derivative: Derivative): Variable {
  const tape = commonTape(operation, x);
  const out = tape.allocate(x.rows, x.columns);
  unary(operation, x.value, out);
  return tape.record(out, [x], (gradient, sink) => {
    const contribution = tape.allocate(x.rows, x.columns);
    derivative(gradient, x.value, out, contribution);
    sink.add(x, contribution);
  });
}

/** tanh x. */
export function tanh(x: Variable): Variable {
  return apply('tanh', x, (gradient, _x, y, contribution) => {
    unary('square', y, contribution);
    affine(contribution, -1, 1, contribution);
    binary('multiply', contribution, gradient, contribution);
  });
}

/** 1/(1+e⁻ˣ). */
export function sigmoid(x: Variable): Variable {
  return apply('sigmoid', x, (gradient, _x, y, contribution) => {
    affine(y, -1, 1, contribution);
    binary('multiply', contribution, y, contribution);
    binary('multiply', contribution, gradient, contribution);
  });
}

/** max(x, 0); its derivative at 0 is taken as 0. */
export function relu(x: Variable): Variable {
  return apply('relu', x, (gradient, _x, y, contribution) => {
    unary('step', y, contribution);
    binary('multiply', contribution, gradient, contribution);
  });
}

/** x·Φ(x) with the exact normal distribution function, not the tanh approximation (arXiv:1606.08415). */
export function gelu(x: Variable): Variable {
  return apply('gelu', x, (gradient, input, _y, contribution) => {
    unary('geluDerivative', input, contribution);
    binary('multiply', contribution, gradient, contribution);
  });
}

/** log(1+eˣ), without overflow. */
export function softplus(x: Variable): Variable {
  return apply('softplus', x, (gradient, input, _y, contribution) => {
    unary('sigmoid', input, contribution);
    binary('multiply', contribution, gradient, contribution);
  });
}

/** eˣ. */
export function exp(x: Variable): Variable {
  return apply('exp', x, (gradient, _x, y, contribution) => {
    binary('multiply', gradient, y, contribution);
  });
}

/** Natural logarithm; NaN below 0, -Infinity at 0. */
export function log(x: Variable): Variable {
  return apply('log', x, (gradient, input, _y, contribution) => {
    binary('divide', gradient, input, contribution);
  });
}

/** √x; NaN below 0, an infinite derivative at 0. */
export function sqrt(x: Variable): Variable {
  return apply('sqrt', x, (gradient, _x, y, contribution) => {
    binary('divide', gradient, y, contribution);
    affine(contribution, 0.5, 0, contribution);
  });
}

/** x². */
export function square(x: Variable): Variable {
  return apply('square', x, (gradient, input, _y, contribution) => {
    binary('multiply', gradient, input, contribution);
    affine(contribution, 2, 0, contribution);
  });
}

/** 1/x. */
export function reciprocal(x: Variable): Variable {
  return apply('reciprocal', x, (gradient, _x, y, contribution) => {
    unary('square', y, contribution);
    binary('multiply', contribution, gradient, contribution);
    affine(contribution, -1, 0, contribution);
  });
}

/** factor·x. @throws AutodiffError `bad-option` when the factor is not finite. */
export function scale(x: Variable, factor: number): Variable {
  const tape = commonTape('scale', x);
  checkFiniteOption('scale', 'factor', factor);
  const out = tape.allocate(x.rows, x.columns);
  affine(x.value, factor, 0, out);
  return tape.record(out, [x], (_gradient, sink) => {
    sink.passThrough(x, factor);
  });
}

/** −x. */
export function negate(x: Variable): Variable {
  return scale(x, -1);
}

/** x + constant. @throws AutodiffError `bad-option` when the constant is not finite. */
export function shift(x: Variable, constant: number): Variable {
  const tape = commonTape('shift', x);
  checkFiniteOption('shift', 'constant', constant);
  const out = tape.allocate(x.rows, x.columns);
  affine(x.value, 1, constant, out);
  return tape.record(out, [x], (_gradient, sink) => {
    sink.passThrough(x);
  });
}

/** Options that are not finite are a mistake of the caller, not data. */
function checkFiniteOption(operation: string, role: string, value: number): void {
  if (!Number.isFinite(value)) {
    throw new AutodiffError('bad-option', `${operation}: ${role} must be a finite number, got ${value}`);
  }
}

function compute(operation: BinaryOperation, a: Variable, b: Variable): Matrix {
  const tape = commonTape(operation, a, b);
  const shape = broadcastShape(operation, a, b);
  const out = tape.allocate(shape.rows, shape.columns);
  if (sameShape(a, shape)) {
    binary(operation, a.value, b.value, out);
  } else if (sameShape(b, shape) && (operation === 'add' || operation === 'multiply')) {
    binary(operation, b.value, a.value, out);
  } else if (sameShape(b, shape) && operation === 'subtract') {
    affine(b.value, -1, 0, out);
    binary('add', out, a.value, out);
  } else {
    expandInto(a.value, out);
    binary(operation, out, b.value, out);
  }
  return out;
}

/**
 * a + b; shapes agree, or either is 1×n, m×1 or 1×1 against the other. O(m·n).
 * @throws AutodiffError `shape`, `tape-mismatch`, `stale-variable`; so do the other three.
 */
export function add(a: Variable, b: Variable): Variable {
  const { tape } = a;
  return tape.record(compute('add', a, b), [a, b], (gradient, sink) => {
    for (const input of [a, b]) {
      if (sameShape(input, gradient)) sink.passThrough(input);
      else if (input.requiresGradient) sink.add(input, sumTo(tape, gradient, input));
    }
  });
}

/** a − b, broadcast as in {@link add}. O(m·n). */
export function subtract(a: Variable, b: Variable): Variable {
  const { tape } = a;
  return tape.record(compute('subtract', a, b), [a, b], (gradient, sink) => {
    if (sameShape(a, gradient)) sink.passThrough(a);
    else if (a.requiresGradient) sink.add(a, sumTo(tape, gradient, a));
    if (sameShape(b, gradient)) sink.passThrough(b, -1);
    else if (b.requiresGradient) {
      const contribution = sumTo(tape, gradient, b);
      affine(contribution, -1, 0, contribution);
      sink.add(b, contribution);
    }
  });
}

/** a ∘ b, elementwise, broadcast as in {@link add}. O(m·n). */
export function multiply(a: Variable, b: Variable): Variable {
  const { tape } = a;
  return tape.record(compute('multiply', a, b), [a, b], (gradient, sink) => {
    if (a.requiresGradient) sink.add(a, productSumTo(tape, gradient, b.value, a));
    if (b.requiresGradient) sink.add(b, productSumTo(tape, gradient, a.value, b));
  });
}

/** a / b, elementwise, broadcast as in {@link add}. O(m·n). */
export function divide(a: Variable, b: Variable): Variable {
  const { tape } = a;
  const out = compute('divide', a, b);
  return tape.record(out, [a, b], (gradient, sink) => {
    if (a.requiresGradient) {
      const quotient = tape.allocate(gradient.rows, gradient.columns);
      binary('divide', gradient, b.value, quotient);
      sink.add(a, reduced(tape, quotient, a));
    }
    if (b.requiresGradient) {
      // −Σ g·(a/b) / b: b does not vary along what is summed.
      const contribution = productSumTo(tape, gradient, out, b);
      binary('divide', contribution, b.value, contribution);
      affine(contribution, -1, 0, contribution);
      sink.add(b, contribution);
    }
  });
}

interface Shape {
  readonly rows: number;
  readonly columns: number;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.rows === b.rows && a.columns === b.columns;
}

/** Each dimension agrees, or is 1 in one operand and taken from the other. */
function broadcastShape(operation: string, a: Shape, b: Shape): Shape {
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
function expandInto(x: Matrix, out: Matrix): void {
  fill(0, out);
  binary('add', out, x, out);
}

/** Σ of `full` over the dimensions in which `shape` is 1, in a new matrix of the tape. */
export function sumTo(tape: Recorder, full: Matrix, shape: Shape): Matrix {
  const out = tape.allocate(shape.rows, shape.columns);
  reduce('sum', full, out);
  return out;
}

/**
 * Σ of a∘b likewise, where a has the full shape and b may be broadcast. Sums along rows need no product of the full
 * size.
 */
export function productSumTo(tape: Recorder, a: Matrix, b: Matrix, shape: Shape): Matrix {
  if (shape.rows === a.rows && shape.columns === 1 && sameShape(a, b)) {
    const out = tape.allocate(shape.rows, 1);
    rowDot(a, b, out);
    return out;
  }
  const product = tape.allocate(a.rows, a.columns);
  binary('multiply', a, b, product);
  return sameShape(product, shape) ? product : sumTo(tape, product, shape);
}

/** `full`, summed to the shape of an input that may have been broadcast. */
function reduced(tape: Recorder, full: Matrix, input: Variable): Matrix {
  return sameShape(full, input) ? full : sumTo(tape, full, input);
}
