/**
 * Softmax and layer normalisation, over the columns of every row, O(m·n). Softmax subtracts the row's maximum first, so
 * that nothing overflows.
 *
 * Layer normalisation (arXiv:1607.06450): x̂ = (x − μ)/√(σ² + ε), y = x̂ ∘ gain + bias. The variance is that of the
 * centred row, not E[x²] − μ², which cancels when |μ| ≫ σ. One operation rather than a composition: the gradient in
 * closed form needs x̂ and 1/√(σ² + ε) only. The root-mean-square norm is the same without the mean and the bias.
 */
import { affine, binary, describeShape, reduce, rowDot, scaleRows, unary, type Matrix } from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import { commonTape, type Recorder, type Variable } from '../variable.ts';
import { productSumTo, sumTo } from './elementwise.ts';
import { checkNotEmpty } from './linear.ts';

/** out = x − max of its row. */
function subtractRowMaximum(tape: Recorder, x: Matrix, out: Matrix): void {
  const maximum = tape.allocate(x.rows, 1);
  reduce('maximum', x, maximum);
  binary('subtract', x, maximum, out);
}

/** e^x_ij / Σₖ e^x_ik, m×n. */
export function softmax(x: Variable): Variable {
  const tape = commonTape('softmax', x);
  const out = tape.allocate(x.rows, x.columns);
  subtractRowMaximum(tape, x.value, out);
  unary('exp', out, out);
  const total = tape.allocate(x.rows, 1);
  reduce('sum', out, total);
  binary('divide', out, total, out);
  return tape.record(out, [x], (gradient, sink) => {
    // ∂x = y ∘ (g − g·y)
    const along = tape.allocate(x.rows, 1);
    rowDot(gradient, out, along);
    const contribution = tape.allocate(x.rows, x.columns);
    binary('subtract', gradient, along, contribution);
    binary('multiply', contribution, out, contribution);
    sink.add(x, contribution);
  });
}

/** x_ij − log Σₖ e^x_ik, m×n: finite where `log(softmax(x))` is not. */
export function logSoftmax(x: Variable): Variable {
  const tape = commonTape('logSoftmax', x);
  const out = tape.allocate(x.rows, x.columns);
  subtractRowMaximum(tape, x.value, out);
  const exponentials = tape.allocate(x.rows, x.columns);
  unary('exp', out, exponentials);
  const logTotal = tape.allocate(x.rows, 1);
  reduce('sum', exponentials, logTotal);
  unary('log', logTotal, logTotal);
  binary('subtract', out, logTotal, out);
  return tape.record(out, [x], (gradient, sink) => {
    // ∂x = g − e^y ∘ Σⱼ g
    const total = tape.allocate(x.rows, 1);
    reduce('sum', gradient, total);
    const contribution = tape.allocate(x.rows, x.columns);
    unary('exp', out, contribution);
    binary('multiply', contribution, total, contribution);
    binary('subtract', gradient, contribution, contribution);
    sink.add(x, contribution);
  });
}

/** `epsilon` is added to the variance of each row before its root. */
export interface LayerNormOptions {
  /** Added to the variance, greater than 0; 1e-5 unless given. */
  readonly epsilon?: number;
}

function checkParameter(operation: string, role: string, parameter: Variable, x: Variable): void {
  if (parameter.rows !== 1 || parameter.columns !== x.columns) {
    throw new AutodiffError(
      'shape',
      `${operation}: ${role} is ${describeShape(parameter)}, x is ${describeShape(x)}; ${role} must be 1×${x.columns}`,
    );
  }
}

/**
 * Rows of x (m×n) normalised, then scaled by gain and moved by bias (1×n each). O(m·n).
 * @throws AutodiffError `shape` when gain or bias does not fit or x has no column, `bad-option` for a bad epsilon.
 */
export function layerNorm(x: Variable, gain: Variable, bias: Variable, options: LayerNormOptions = {}): Variable {
  const { epsilon = 1e-5 } = options;
  const tape = commonTape('layerNorm', x, gain, bias);
  checkNotEmpty('layerNorm', x, x.columns);
  checkParameter('layerNorm', 'gain', gain, x);
  checkParameter('layerNorm', 'bias', bias, x);
  checkEpsilon('layerNorm', epsilon);
  const { rows, columns } = x;
  const average = tape.allocate(rows, 1);
  reduce('sum', x.value, average);
  affine(average, 1 / columns, 0, average);
  const normalized = tape.allocate(rows, columns);
  binary('subtract', x.value, average, normalized);
  const inverseDeviation = divideByDeviation(tape, normalized, normalized, epsilon);
  const out = tape.allocate(rows, columns);
  binary('multiply', normalized, gain.value, out);
  binary('add', out, bias.value, out);
  return tape.record(out, [x, gain, bias], (gradient, sink) => {
    if (gain.requiresGradient) sink.add(gain, productSumTo(tape, gradient, normalized, gain));
    if (bias.requiresGradient) sink.add(bias, sumTo(tape, gradient, bias));
    if (!x.requiresGradient) return;
    const scaled = tape.allocate(rows, columns);
    binary('multiply', gradient, gain.value, scaled);
    const mean = tape.allocate(rows, 1);
    reduce('sum', scaled, mean);
    affine(mean, 1 / columns, 0, mean);
    binary('subtract', scaled, mean, scaled);
    sink.add(x, inputGradient(tape, scaled, normalized, inverseDeviation));
  });
}

/**
 * Rows of x (m×n) divided by their root mean square √(Σ x²/n + ε), then scaled by gain, 1×n (arXiv:1910.07467). O(m·n).
 * @throws AutodiffError `shape` when gain does not fit or x has no column, `bad-option` for a bad epsilon.
 */
export function rmsNorm(x: Variable, gain: Variable, options: LayerNormOptions = {}): Variable {
  const { epsilon = 1e-5 } = options;
  const tape = commonTape('rmsNorm', x, gain);
  checkNotEmpty('rmsNorm', x, x.columns);
  checkParameter('rmsNorm', 'gain', gain, x);
  checkEpsilon('rmsNorm', epsilon);
  const { rows, columns } = x;
  const normalized = tape.allocate(rows, columns);
  const inverseDeviation = divideByDeviation(tape, x.value, normalized, epsilon);
  const out = tape.allocate(rows, columns);
  binary('multiply', normalized, gain.value, out);
  return tape.record(out, [x, gain], (gradient, sink) => {
    if (gain.requiresGradient) sink.add(gain, productSumTo(tape, gradient, normalized, gain));
    if (!x.requiresGradient) return;
    const scaled = tape.allocate(rows, columns);
    binary('multiply', gradient, gain.value, scaled);
    sink.add(x, inputGradient(tape, scaled, normalized, inverseDeviation));
  });
}

function checkEpsilon(operation: string, epsilon: number): void {
  if (!(epsilon > 0 && Number.isFinite(epsilon)))
    throw new AutodiffError('bad-option', `${operation}: epsilon must be greater than 0 and finite, got ${epsilon}`);
}

/** out = x / √(Σ x²/n + ε), row by row; returns 1/√(…), m×1. */
function divideByDeviation(tape: Recorder, x: Matrix, out: Matrix, epsilon: number): Matrix {
  const inverse = tape.allocate(x.rows, 1);
  reduce('sumSquares', x, inverse);
  affine(inverse, 1 / x.columns, epsilon, inverse);
  unary('sqrt', inverse, inverse);
  unary('reciprocal', inverse, inverse);
  scaleRows(x, inverse, out);
  return inverse;
}

/** ∂x = (h − x̂ ∘ mean(h ∘ x̂)) / √(σ² + ε), means over the row; in place of h, which of layerNorm is centred before. */
function inputGradient(tape: Recorder, h: Matrix, normalized: Matrix, inverseDeviation: Matrix): Matrix {
  const { rows, columns } = h;
  const correlation = tape.allocate(rows, 1);
  rowDot(h, normalized, correlation);
  affine(correlation, 1 / columns, 0, correlation);
  const along = tape.allocate(rows, columns);
  scaleRows(normalized, correlation, along);
  binary('subtract', h, along, h);
  scaleRows(h, inverseDeviation, h);
  return h;
}
