/** The numerators of a softmax, their sums, and the maxima that keep them finite: one pass where a backend has it. */
import type { Matrix } from './backend.ts';
import { binary, reduce, unary } from './operations.ts';
import { checkAlive, checkNotAliased, checkOperand, checkShape } from './storage.ts';

/**
 * x_ij ← exp(x_ij − max_j x_ij), in place, so that the largest number of each row becomes 1.
 * @param x m×n.
 * @param maxima m×1; receives max_j x_ij of the old numbers, -Infinity where n = 0.
 * @param sums m×1; receives Σ_j of the new numbers.
 */
export function exponentiateRows(x: Matrix, maxima: Matrix, sums: Matrix): void {
  const operation = 'exponentiateRows';
  const { backend, rows } = x;
  checkAlive(operation, 'x', x);
  checkOperand(operation, 'maxima', maxima, backend);
  checkOperand(operation, 'sums', sums, backend);
  checkNotAliased(operation, 'maxima', maxima, x);
  checkNotAliased(operation, 'sums', sums, x);
  checkNotAliased(operation, 'sums', sums, maxima);
  checkShape(operation, 'maxima', maxima, rows, 1);
  checkShape(operation, 'sums', sums, rows, 1);
  if (backend.exponentiateRows) {
    backend.exponentiateRows(x, maxima, sums);
    return;
  }
  reduce('maximum', x, maxima);
  binary('subtract', x, maxima, x);
  unary('exp', x, x);
  reduce('sum', x, sums);
}
