/**
 * Add, subtract, multiply, divide, either operand broadcast. The kernels broadcast their second operand only: a
 * broadcast first one is exchanged (add, multiply), negated around (subtract) or expanded into the output, which is
 * where the result goes anyway. Gradients of a broadcast operand are reduced before they are scaled, divided or
 * negated, so that is done on the small shape.
 */
import { affine, binary, type BinaryOperation, type Matrix } from '@vastmax/linalg-core';
import type { Variable } from '../variable.ts';
import { broadcastShape, expandInto, productSumTo, reduced, sameShape, sumTo } from './broadcast.ts';
import { commonTape } from './checks.ts';

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
      if (sameShape(input, gradient)) sink.pass(input);
      else if (input.requiresGradient) sink.give(input, sumTo(tape, gradient, input));
    }
  });
}

/** a − b, broadcast as in {@link add}. O(m·n). */
export function subtract(a: Variable, b: Variable): Variable {
  const { tape } = a;
  return tape.record(compute('subtract', a, b), [a, b], (gradient, sink) => {
    if (sameShape(a, gradient)) sink.pass(a);
    else if (a.requiresGradient) sink.give(a, sumTo(tape, gradient, a));
    if (sameShape(b, gradient)) sink.pass(b, -1);
    else if (b.requiresGradient) {
      const contribution = sumTo(tape, gradient, b);
      affine(contribution, -1, 0, contribution);
      sink.give(b, contribution);
    }
  });
}

/** a ∘ b, elementwise, broadcast as in {@link add}. O(m·n). */
export function multiply(a: Variable, b: Variable): Variable {
  const { tape } = a;
  return tape.record(compute('multiply', a, b), [a, b], (gradient, sink) => {
    if (a.requiresGradient) sink.give(a, productSumTo(tape, gradient, b.value, a));
    if (b.requiresGradient) sink.give(b, productSumTo(tape, gradient, a.value, b));
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
      sink.give(a, reduced(tape, quotient, a));
    }
    if (b.requiresGradient) {
      // −Σ g·(a/b) / b: b does not vary along what is summed.
      const contribution = productSumTo(tape, gradient, out, b);
      binary('divide', contribution, b.value, contribution);
      affine(contribution, -1, 0, contribution);
      sink.give(b, contribution);
    }
  });
}
