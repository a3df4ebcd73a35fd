import { describeShape, gemm } from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import type { Variable } from '../variable.ts';
import { commonTape } from './checks.ts';

export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * op(a)·op(b), m×k times k×n. 2mnk floating-point operations forward and as many backward for each operand that
 * requires a gradient; gradients are accumulated by the gemm itself, without a matrix in between.
 * @throws AutodiffError `shape` when the inner dimensions differ.
 */
export function matmul(a: Variable, b: Variable, options: MatmulOptions = {}): Variable {
  const { transposeA = false, transposeB = false } = options;
  const tape = commonTape('matmul', a, b);
  const depthOfA = transposeA ? a.rows : a.columns;
  const depthOfB = transposeB ? b.columns : b.rows;
  if (depthOfA !== depthOfB) {
    throw new AutodiffError(
      'shape',
      `matmul: inner dimensions differ: a is ${describeShape(a)}${transposeA ? ' transposed' : ''}, b is ${describeShape(b)}${
        transposeB ? ' transposed' : ''
      }; transpose one or check its shape`,
    );
  }
  const out = tape.allocate(transposeA ? a.columns : a.rows, transposeB ? b.rows : b.columns);
  gemm(a.value, b.value, out, { transposeA, transposeB });
  return tape.record(out, [a, b], (gradient, sink) => {
    if (a.requiresGradient) {
      const target = sink.target(a);
      // ∂op(a) = g·op(b)ᵀ; for a transposed a, ∂a = op(b)·gᵀ.
      if (transposeA)
        gemm(b.value, gradient, target.out, { transposeA: transposeB, transposeB: true, beta: target.beta });
      else gemm(gradient, b.value, target.out, { transposeB: !transposeB, beta: target.beta });
    }
    if (b.requiresGradient) {
      const target = sink.target(b);
      // ∂op(b) = op(a)ᵀ·g; for a transposed b, ∂b = gᵀ·op(a).
      if (transposeB)
        gemm(gradient, a.value, target.out, { transposeA: true, transposeB: transposeA, beta: target.beta });
      else gemm(a.value, gradient, target.out, { transposeA: !transposeA, beta: target.beta });
    }
  });
}
