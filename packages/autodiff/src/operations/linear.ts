/**
 * Operations that are linear in each operand: products, sums, rows by index, reshaping and dropout. The gradient of
 * each is the transposed map, added straight into the matrix that accumulates the input's gradient where a kernel can.
 */
import {
  binary,
  copy,
  createHostArray,
  describeShape,
  fill,
  gatherRows as gatherRowsInto,
  gemm,
  reduce,
  rowDot as rowDotInto,
  scaleRows,
  scatterAddRows,
  write,
  type FloatArray,
  type Indices,
} from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import { checkTable, commonTape, noteGradient, type Recorder, type TableVariable, type Variable } from '../variable.ts';
import { sameShape, scale } from './elementwise.ts';

/** Which operands of `matmul` are used transposed; none unless given. */
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

function sumOver(operation: string, x: Variable, rows: number, columns: number): Variable {
  const tape = commonTape(operation, x);
  const out = tape.allocate(rows, columns);
  reduce('sum', x.value, out);
  return tape.record(out, [x], (gradient, sink) => {
    if (sameShape(x, gradient)) {
      sink.passThrough(x);
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
      sink.add(a, contribution);
    }
    if (b.requiresGradient) {
      const contribution = tape.allocate(b.rows, b.columns);
      scaleRows(a.value, gradient, contribution);
      sink.add(b, contribution);
    }
  });
}

/** The same numbers, row by row, as rows×columns. @throws AutodiffError `shape` when the number of elements differs. */
export function reshape(x: Variable, rows: number, columns: number): Variable {
  const tape = commonTape('reshape', x);
  const valid = Number.isSafeInteger(rows) && Number.isSafeInteger(columns) && rows >= 0 && columns >= 0;
  if (!valid || rows * columns !== x.rows * x.columns) {
    throw new AutodiffError(
      'shape',
      `reshape: x is ${describeShape(x)}, ${rows}×${columns} was asked for; it must have ${x.rows * x.columns} elements`,
    );
  }
  const out = tape.allocate(rows, columns);
  copy(x.value, out);
  return tape.record(out, [x], (gradient, sink) => {
    const contribution = tape.allocate(x.rows, x.columns);
    copy(gradient, contribution);
    sink.add(x, contribution);
  });
}

/**
 * out_i = x[indices_i], count×n. The gradient is dense, as large as x: for a table of very many rows use {@link
 * gatherTable}. O(count·n) forward; backward O(count·n), plus O(rows·n) once to clear x's gradient.
 * @throws LinalgError `index-out-of-range`.
 */
export function gatherRows(x: Variable, indices: Indices): Variable {
  const tape = commonTape('gatherRows', x);
  const out = tape.allocate(indices.count, x.columns);
  gatherRowsInto(x.value, indices, out);
  return tape.record(out, [x], (gradient, sink) => {
    const target = sink.target(x);
    if (target.beta === 0) fill(0, target.out);
    scatterAddRows(gradient, indices, target.out);
  });
}

/**
 * out_i = table[indices_i], count×n. The gradient is the pair (indices, ∂L/∂out) in `table.gradients`: O(count·n),
 * whatever the number of rows of the table. The result is a leaf, whose gradient is the second of the pair.
 * @throws LinalgError `index-out-of-range`.
 */
export function gatherTable(table: TableVariable, indices: Indices): Variable {
  checkTable('gatherTable', table);
  const { tape } = table;
  const out = tape.allocate(indices.count, table.table.columns);
  gatherRowsInto(table.table, indices, out);
  const output = tape.variable(out);
  noteGradient(table, () => (output.gradient === undefined ? undefined : { indices, rows: output.gradient }));
  return output;
}

/**
 * How `dropout` draws: numbers are set to zero with probability `rate` while `training` (true unless given), by
 * numbers of [0, 1) from `random`.
 */
export interface DropoutOptions {
  /** Probability of dropping an element, in [0, 1). */
  readonly rate: number;
  /** Uniform in [0, 1). Called m·n times, or not at all when nothing is dropped. */
  readonly random: () => number;
  /** true unless given; false returns x itself. */
  readonly training?: boolean;
}

/** One buffer per tape for all its masks: `write` copies before it returns. */
const buffers = new WeakMap<Recorder, FloatArray>();

function bufferOf(tape: Recorder, length: number): FloatArray {
  const existing = buffers.get(tape);
  if (existing !== undefined && existing.length >= length) return existing.subarray(0, length);
  const buffer = createHostArray(tape.backend, Math.max(length, Math.ceil((existing?.length ?? 0) * 1.5)));
  buffers.set(tape, buffer);
  return buffer.subarray(0, length);
}

/**
 * x with elements set to 0 at random and the others scaled; x itself when rate is 0 or training is false. O(m·n), the
 * mask crosses from the host.
 * @throws AutodiffError `bad-option` when the rate is outside [0, 1).
 */
export function dropout(x: Variable, options: DropoutOptions): Variable {
  const { rate, random, training = true } = options;
  const tape = commonTape('dropout', x);
  if (!(rate >= 0 && rate < 1)) {
    throw new AutodiffError('bad-option', `dropout: rate must be at least 0 and less than 1, got ${rate}`);
  }
  if (rate === 0 || !training) return x;
  const length = x.rows * x.columns;
  const values = bufferOf(tape, length);
  const kept = 1 / (1 - rate);
  for (let i = 0; i < length; i++) values[i] = random() < rate ? 0 : kept;
  const mask = tape.allocate(x.rows, x.columns);
  write(values, mask);
  const out = tape.allocate(x.rows, x.columns);
  binary('multiply', x.value, mask, out);
  return tape.record(out, [x], (gradient, sink) => {
    const contribution = tape.allocate(x.rows, x.columns);
    binary('multiply', gradient, mask, contribution);
    sink.add(x, contribution);
  });
}

/** A divisor of an average may not be 0. */
export function checkNotEmpty(operation: string, x: Variable, count: number): void {
  if (count === 0) {
    throw new AutodiffError(
      'shape',
      `${operation}: x is ${describeShape(x)}, there is nothing to average; give it an element at least`,
    );
  }
}
