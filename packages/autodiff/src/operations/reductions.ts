/**
 * Sums. Their gradients are expanded straight into the matrix that collects the input's, whatever it holds already.
 * O(m·n).
 */
import { binary, describeShape, fill, reduce, rowDot as rowDotInto, scaleRows } from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import type { Variable } from '../variable.ts';
import { sameShape } from './broadcast.ts';
import { checkNotEmpty, commonTape } from './checks.ts';
import { scale } from './elementwise.ts';

function sumOver(operation: string, x: Variable, rows: number, columns: number): Variable {
  const tape = commonTape(operation, x);
  const out = tape.allocate(rows, columns);
  reduce('sum', x.value, out);
  return tape.record(out, [x], (gradient, sink) => {
    if (sameShape(x, gradient)) {
      sink.pass(x);
      return;
    }
    const { out: collected, beta } = sink.target(x);
    if (beta === 0) fill(0, collected);
    binary('add', collected, gradient, collected);
  });
}

/** Σᵢⱼ x_ij, 1×1; 0 for an empty x. */
export function sum(x: Variable): Variable {
  return sumOver('sum', x, 1, 1);
}

/** Σⱼ x_ij, m×1. */
export function rowSum(x: Variable): Variable {
  return sumOver('rowSum', x, x.rows, 1);
}

/** Σᵢⱼ x_ij / (m·n), 1×1. @throws AutodiffError `shape` for an empty x. */
export function mean(x: Variable): Variable {
  checkNotEmpty('mean', x, x.rows * x.columns);
  return scale(sumOver('mean', x, 1, 1), 1 / (x.rows * x.columns));
}

/** Σⱼ a_ij·b_ij for a and b m×n, m×1. @throws AutodiffError `shape` when the shapes differ. */
export function rowDot(a: Variable, b: Variable): Variable {
  const tape = commonTape('rowDot', a, b);
  if (!sameShape(a, b)) {
    throw new AutodiffError(
      'shape',
      `rowDot: a is ${describeShape(a)}, b is ${describeShape(b)}; the shapes must agree`,
    );
  }
  const out = tape.allocate(a.rows, 1);
  rowDotInto(a.value, b.value, out);
  return tape.record(out, [a, b], (gradient, sink) => {
    if (a.requiresGradient) {
      const contribution = tape.allocate(a.rows, a.columns);
      scaleRows(b.value, gradient, contribution);
      sink.give(a, contribution);
    }
    if (b.requiresGradient) {
      const contribution = tape.allocate(b.rows, b.columns);
      scaleRows(a.value, gradient, contribution);
      sink.give(b, contribution);
    }
  });
}
