import type { BinaryOperation, ReduceOperation, UnaryOperation } from '../backend.ts';
import { LinalgError } from '../errors.ts';
import { describeShape, type Matrix } from '../handles.ts';
import { checkAlive, checkFinite, checkNotAliased, checkOperand, checkRange, checkShape } from './checks.ts';

export interface GemmOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Factor of the product, 1 unless given. */
  readonly alpha?: number;
  /** Factor of the old `out`, 0 unless given; 0 does not read it. */
  readonly beta?: number;
}

/** Every element becomes `value`. */
export function fill(value: number, out: Matrix): void {
  checkAlive('fill', 'out', out);
  out.backend.fill(value, out);
}

/** Copy; the shapes may differ as long as the number of elements agrees. */
export function copy(source: Matrix, out: Matrix): void {
  checkAlive('copy', 'out', out);
  checkOperand('copy', 'source', source, out.backend);
  checkNotAliased('copy', 'source', source, out);
  if (source.rows * source.columns !== out.rows * out.columns) {
    throw new LinalgError(
      'shape',
      `copy: source is ${describeShape(source)}, out is ${describeShape(out)}; the element counts differ`,
    );
  }
  out.backend.copy(source, out);
}

/** Copy `count` columns of every row: out[:, outColumn…] = source[:, sourceColumn…]. */
export function copyColumns(source: Matrix, sourceColumn: number, out: Matrix, outColumn: number, count: number): void {
  checkAlive('copyColumns', 'out', out);
  checkOperand('copyColumns', 'source', source, out.backend);
  checkNotAliased('copyColumns', 'source', source, out);
  checkRange('copyColumns (source)', 'columns', sourceColumn, count, source.columns);
  checkRange('copyColumns (out)', 'columns', outColumn, count, out.columns);
  if (source.rows !== out.rows) {
    throw new LinalgError(
      'shape',
      `copyColumns: source is ${describeShape(source)}, out is ${describeShape(out)}; the rows differ`,
    );
  }
  out.backend.copyColumns(source, sourceColumn, out, outColumn, count);
}

/** out_ii += value, out n×n. */
export function addDiagonal(value: number, out: Matrix): void {
  checkAlive('addDiagonal', 'out', out);
  checkFinite('addDiagonal', 'value', value);
  checkSquare('addDiagonal', 'out', out);
  out.backend.addDiagonal(value, out);
}

/**
 * out = alpha·op(a)·op(b) + beta·out. 2mnk floating-point operations.
 * @throws LinalgError `shape` when the inner dimensions or out's shape do not fit, `aliasing` when out is a or b.
 */
export function gemm(a: Matrix, b: Matrix, out: Matrix, options: GemmOptions = {}): void {
  const { transposeA = false, transposeB = false, alpha = 1, beta = 0 } = options;
  checkAlive('gemm', 'out', out);
  checkOperand('gemm', 'a', a, out.backend);
  checkOperand('gemm', 'b', b, out.backend);
  checkNotAliased('gemm', 'a', a, out);
  checkNotAliased('gemm', 'b', b, out);
  checkFinite('gemm', 'alpha', alpha);
  checkFinite('gemm', 'beta', beta);
  const m = transposeA ? a.columns : a.rows;
  const k = transposeA ? a.rows : a.columns;
  const n = transposeB ? b.rows : b.columns;
  if ((transposeB ? b.columns : b.rows) !== k) {
    throw new LinalgError(
      'shape',
      `gemm: inner dimensions differ: a is ${describeShape(a)}${transposeA ? ' transposed' : ''}, b is ${describeShape(b)}${
        transposeB ? ' transposed' : ''
      }; transpose one or check its shape`,
    );
  }
  checkShape('gemm', 'out', out, m, n);
  out.backend.gemm(a, b, out, { transposeA, transposeB, alpha, beta });
}

/** out_i = Σⱼ a_ij·b_ij; a and b m×n, out m×1. */
export function rowDot(a: Matrix, b: Matrix, out: Matrix): void {
  checkAlive('rowDot', 'out', out);
  checkOperand('rowDot', 'a', a, out.backend);
  checkOperand('rowDot', 'b', b, out.backend);
  checkNotAliased('rowDot', 'a', a, out);
  checkNotAliased('rowDot', 'b', b, out);
  checkShape('rowDot', 'b', b, a.rows, a.columns);
  checkShape('rowDot', 'out', out, a.rows, 1);
  out.backend.rowDot(a, b, out);
}

/** out_ij = factors_i·source_ij; source m×n, factors m×1. out may be source. */
export function scaleRows(source: Matrix, factors: Matrix, out: Matrix): void {
  checkAlive('scaleRows', 'out', out);
  checkOperand('scaleRows', 'source', source, out.backend);
  checkOperand('scaleRows', 'factors', factors, out.backend);
  checkNotAliased('scaleRows', 'factors', factors, out);
  checkShape('scaleRows', 'factors', factors, source.rows, 1);
  checkShape('scaleRows', 'out', out, source.rows, source.columns);
  out.backend.scaleRows(source, factors, out);
}

/** out += alpha·x, same shapes. */
export function axpy(alpha: number, x: Matrix, out: Matrix): void {
  checkAlive('axpy', 'out', out);
  checkOperand('axpy', 'x', x, out.backend);
  checkFinite('axpy', 'alpha', alpha);
  checkShape('axpy', 'x', x, out.rows, out.columns);
  out.backend.axpy(alpha, x, out);
}

/** out = scale·x + shift, elementwise. out may be x. */
export function affine(x: Matrix, scale: number, shift: number, out: Matrix): void {
  checkAlive('affine', 'out', out);
  checkOperand('affine', 'x', x, out.backend);
  checkFinite('affine', 'scale', scale);
  checkFinite('affine', 'shift', shift);
  checkShape('affine', 'x', x, out.rows, out.columns);
  out.backend.affine(x, scale, shift, out);
}

/** out = operation(x), elementwise. out may be x. */
export function unary(operation: UnaryOperation, x: Matrix, out: Matrix): void {
  checkAlive(operation, 'out', out);
  checkOperand(operation, 'x', x, out.backend);
  checkShape(operation, 'x', x, out.rows, out.columns);
  out.backend.unary(operation, x, out);
}

/** out = a ∘ b, elementwise; b is broadcast when it is 1×n, m×1 or 1×1. out may be a, and b when b is not broadcast. */
export function binary(operation: BinaryOperation, a: Matrix, b: Matrix, out: Matrix): void {
  checkAlive(operation, 'out', out);
  checkOperand(operation, 'a', a, out.backend);
  checkOperand(operation, 'b', b, out.backend);
  checkShape(operation, 'a', a, out.rows, out.columns);
  if ((b.rows !== a.rows && b.rows !== 1) || (b.columns !== a.columns && b.columns !== 1)) {
    throw new LinalgError(
      'shape',
      `${operation}: b is ${describeShape(b)}, which neither matches nor broadcasts to a, ${describeShape(a)}; b may be ${a.rows}×${a.columns}, 1×${a.columns}, ${a.rows}×1 or 1×1`,
    );
  }
  out.backend.binary(operation, a, b, out);
}

/**
 * Reduce the dimensions in which `out` is 1: x is m×n, out m×1 (each row), 1×n (each column) or 1×1 (all).
 * `sum` and `sumSquares` of nothing are 0, `maximum` of nothing is -Infinity.
 */
export function reduce(operation: ReduceOperation, x: Matrix, out: Matrix): void {
  checkAlive(operation, 'out', out);
  checkOperand(operation, 'x', x, out.backend);
  checkNotAliased(operation, 'x', x, out);
  if ((out.rows !== x.rows && out.rows !== 1) || (out.columns !== x.columns && out.columns !== 1)) {
    throw new LinalgError(
      'shape',
      `${operation}: out is ${describeShape(out)}, x is ${describeShape(x)}; out may be ${x.rows}×1, 1×${x.columns} or 1×1`,
    );
  }
  out.backend.reduce(operation, x, out);
}

export function checkSquare(operation: string, role: string, handle: Matrix): void {
  if (handle.rows !== handle.columns) {
    throw new LinalgError('shape', `${operation}: ${role} is ${describeShape(handle)}, it must be square`);
  }
}
