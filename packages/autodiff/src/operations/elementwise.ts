/**
 * Operations of one operand. Each derivative is written with the output where that saves a kernel (tanh' = 1 − y²),
 * otherwise with the input, which its owner must leave alone until the last backward call anyway. Every one costs
 * O(m·n), forward and backward.
 */
import { affine, binary, unary, type Matrix, type UnaryOperation } from '@vastmax/linalg-core';
import type { Variable } from '../variable.ts';
import { checkFiniteOption, commonTape } from './checks.ts';

/** Turns `contribution`, which holds anything, into the input's gradient from that of the output, x and y. */
type Derivative = (gradient: Matrix, x: Matrix, y: Matrix, contribution: Matrix) => void;

function apply(operation: UnaryOperation, x: Variable, derivative: Derivative): Variable {
  const tape = commonTape(operation, x);
  const out = tape.allocate(x.rows, x.columns);
  unary(operation, x.value, out);
  return tape.record(out, [x], (gradient, sink) => {
    const contribution = tape.allocate(x.rows, x.columns);
    derivative(gradient, x.value, out, contribution);
    sink.give(x, contribution);
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
    sink.pass(x, factor);
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
    sink.pass(x);
  });
}
