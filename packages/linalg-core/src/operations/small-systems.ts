import type { Matrix } from '../handles.ts';
import { LinalgError } from '../errors.ts';
import { describeShape } from '../handles.ts';
import { checkAlive, checkFinite, checkNotAliased, checkOperand, checkShape } from './checks.ts';
import { checkSquare, gemm } from './dense.ts';

/**
 * Solve a·out = b for a n×n, b and out n×k, by LU with partial pivoting. ⅔n³ + 2n²k operations.
 * @param reciprocalCondition 1×1; receives an estimate of 1/(‖a‖₁‖a⁻¹‖₁), exactly 0 when a is singular (out is then
 * anything).
 */
export function solve(a: Matrix, b: Matrix, out: Matrix, reciprocalCondition: Matrix): void {
  checkAlive('solve', 'out', out);
  checkOperand('solve', 'a', a, out.backend);
  checkOperand('solve', 'b', b, out.backend);
  checkOperand('solve', 'reciprocalCondition', reciprocalCondition, out.backend);
  checkNotAliased('solve', 'a', a, out);
  checkNotAliased('solve', 'b', b, out);
  for (const operand of [a, b, out]) checkNotAliased('solve', 'reciprocalCondition', operand, reciprocalCondition);
  checkSquare('solve', 'a', a);
  if (b.rows !== a.rows) {
    throw new LinalgError(
      'shape',
      `solve: a is ${describeShape(a)}, b is ${describeShape(b)}; b must have as many rows as a`,
    );
  }
  checkShape('solve', 'out', out, b.rows, b.columns);
  checkShape('solve', 'reciprocalCondition', reciprocalCondition, 1, 1);
  out.backend.solve(a, b, out, reciprocalCondition);
}

export interface RankUpdateOptions {
  /** false: a, b are k×n and the product is aᵀb + bᵀa; true: a, b are n×k and it is abᵀ + baᵀ. */
  readonly transpose?: boolean;
  readonly alpha?: number;
  readonly beta?: number;
}

/**
 * out = alpha·(aᵀb + bᵀa) + beta·out, out n×n. Backends may compute one half of the symmetric product only; where one
 * has no such kernel, two gemms do.
 */
export function symmetricRank2Update(a: Matrix, b: Matrix, out: Matrix, options: RankUpdateOptions = {}): void {
  const { transpose = false, alpha = 1, beta = 0 } = options;
  const operation = 'symmetricRank2Update';
  checkAlive(operation, 'out', out);
  checkOperand(operation, 'a', a, out.backend);
  checkOperand(operation, 'b', b, out.backend);
  checkNotAliased(operation, 'a', a, out);
  checkNotAliased(operation, 'b', b, out);
  checkFinite(operation, 'alpha', alpha);
  checkFinite(operation, 'beta', beta);
  checkShape(operation, 'b', b, a.rows, a.columns);
  const size = transpose ? a.rows : a.columns;
  checkShape(operation, 'out', out, size, size);
  if (out.backend.symmetricRank2Update) {
    out.backend.symmetricRank2Update(a, b, out, { transpose, alpha, beta });
    return;
  }
  gemm(a, b, out, { transposeA: !transpose, transposeB: transpose, alpha, beta });
  gemm(b, a, out, { transposeA: !transpose, transposeB: transpose, alpha, beta: 1 });
}
