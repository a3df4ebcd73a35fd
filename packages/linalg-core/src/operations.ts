/** The checked operations: each checks its operands once, with an error that names both values, and calls a kernel. */
import { isRowTable, type Indices, type Matrix, type RowTable } from './backend.ts';
import { describeShape, LinalgError } from './errors.ts';
import type { BinaryOperation, ReduceOperation, UnaryOperation } from './kernel-types.ts';
import {
  checkAlive,
  checkFinite,
  checkIndices,
  checkNotAliased,
  checkOperand,
  checkRange,
  checkShape,
  checkSquare,
} from './storage.ts';

/** Which operands are transposed, and the factors alpha (1 unless given) and beta (0). */
export interface GemmOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Factor of the product, 1 unless given. */
  readonly alpha?: number;
  /** Factor of the old `out`, 0 unless given; 0 does not read it. */
  readonly beta?: number;
}

/** `a` and `b` are on the backend of `out`, and neither is `out`. */
function checkOperands(operation: string, a: Matrix, b: Matrix, out: Matrix): void {
  checkAlive(operation, 'out', out);
  checkOperand(operation, 'a', a, out.backend);
  checkOperand(operation, 'b', b, out.backend);
  checkNotAliased(operation, 'a', a, out);
  checkNotAliased(operation, 'b', b, out);
}

/** Every element becomes `value`. */
export function fill(value: number, out: Matrix): void {
  checkAlive('fill', 'out', out);
  out.backend.fill(value, out);
}

/** Copies; the shapes may differ as long as the number of elements agrees. */
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

/** Copies `count` columns of every row: out[:, outColumn…] = source[:, sourceColumn…]. */
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
  checkOperands('gemm', a, b, out);
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
  checkOperands('rowDot', a, b, out);
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
 * Reduces the dimensions in which `out` is 1: x is m×n, out m×1 (each row), 1×n (each column) or 1×1 (all). `sum` and
 * `sumSquares` of nothing are 0, `maximum` of nothing is -Infinity.
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

/** out_i = source[indices_i]; out is count×columns. O(count·columns), whatever the number of rows of the source. */
export function gatherRows(source: Matrix | RowTable, indices: Indices, out: Matrix): void {
  checkAlive('gatherRows', 'out', out);
  checkOperand('gatherRows', 'source', source, out.backend);
  checkOperand('gatherRows', 'indices', indices, out.backend);
  checkNotAliased('gatherRows', 'source', source, out);
  checkIndices('gatherRows', indices, source.rows, nameOf(source));
  checkShape('gatherRows', 'out', out, indices.count, source.columns);
  out.backend.gatherRows(source, indices, out);
}

/** `scale` is the factor of the rows that are added; 1 unless given. */
export interface ScatterOptions {
  /** Factor of every row added, 1 unless given. */
  readonly scale?: number;
}

/** destination[indices_i] += scale·source_i. Repeated indices accumulate, deterministically. O(count·columns). */
export function scatterAddRows(
  source: Matrix,
  indices: Indices,
  destination: Matrix | RowTable,
  options: ScatterOptions = {},
): void {
  const { scale = 1 } = options;
  checkScatter('scatterAddRows', source, indices, destination);
  checkFinite('scatterAddRows', 'scale', scale);
  destination.backend.scatterAddRows(source, indices, scale, destination);
}

/** destination[indices_i] = source_i. Of a repeated index the last row stays. O(count·columns). */
export function scatterRows(source: Matrix, indices: Indices, destination: Matrix | RowTable): void {
  checkScatter('scatterRows', source, indices, destination);
  destination.backend.scatterRows(source, indices, destination);
}

function checkScatter(operation: string, source: Matrix, indices: Indices, destination: Matrix | RowTable): void {
  checkAlive(operation, 'destination', destination);
  checkOperand(operation, 'source', source, destination.backend);
  checkOperand(operation, 'indices', indices, destination.backend);
  checkNotAliased(operation, 'source', source, destination);
  checkIndices(operation, indices, destination.rows, nameOf(destination));
  if (source.rows !== indices.count || source.columns !== destination.columns) {
    throw new LinalgError(
      'shape',
      `${operation}: source is ${describeShape(source)}, expected ${indices.count}×${destination.columns} (a row for each index, as wide as the destination)`,
    );
  }
}

function nameOf(rows: Matrix | RowTable): string {
  return isRowTable(rows) ? 'the table' : 'the matrix';
}

/**
 * Solves a·out = b for a n×n, b and out n×k, by LU with partial pivoting. ⅔n³ + 2n²k operations.
 * @param reciprocalCondition 1×1; receives an estimate of 1/(‖a‖₁‖a⁻¹‖₁), exactly 0 when a is singular (the content of
 * out is then undefined).
 */
export function solve(a: Matrix, b: Matrix, out: Matrix, reciprocalCondition: Matrix): void {
  checkOperands('solve', a, b, out);
  checkOperand('solve', 'reciprocalCondition', reciprocalCondition, out.backend);
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

/** The form of the update, and the factors alpha (1 unless given) and beta (0). */
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
  checkOperands(operation, a, b, out);
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

/**
 * Calls `body`, whose kernels write only if `flag` is above 0 as of now (not 0, negative, or NaN): a decision that the
 * host need not wait for. Writes and reads of the host and creating handles are not affected. Cannot be nested.
 * @param flag 1×1, on a backend that has the optional `guard`.
 */
export function guarded(flag: Matrix, body: () => void): void {
  const { backend } = flag;
  checkAlive('guarded', 'flag', flag);
  checkShape('guarded', 'flag', flag, 1, 1);
  if (backend.guard === undefined) {
    throw new LinalgError(
      'bad-option',
      `guarded: the backend '${backend.name}' has no guard; read the flag and decide on the host`,
    );
  }
  backend.guard(flag);
  try {
    body();
  } finally {
    backend.guard(undefined);
  }
}
