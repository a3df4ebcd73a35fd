/**
 * Layer normalisation (arXiv:1607.06450): x̂ = (x − μ)/√(σ² + ε) over the columns of every row, y = x̂ ∘ gain + bias.
 * The variance is that of the centred row, not E[x²] − μ², which cancels when |μ| ≫ σ. One operation rather than a
 * composition: the gradient in closed form needs x̂ and 1/√(σ² + ε) only.
 */
import { affine, binary, describeShape, reduce, rowDot, scaleRows, unary, type Matrix } from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import type { Tape } from '../tape.ts';
import type { Variable } from '../variable.ts';
import { productSumTo, sumTo } from './broadcast.ts';
import { checkNotEmpty, commonTape } from './checks.ts';

export interface LayerNormOptions {
  /** Added to the variance, greater than 0; 1e-5 unless given. */
  readonly epsilon?: number;
}

function checkParameter(role: string, parameter: Variable, x: Variable): void {
  if (parameter.rows !== 1 || parameter.columns !== x.columns) {
    throw new AutodiffError(
      'shape',
      `layerNorm: ${role} is ${describeShape(parameter)}, x is ${describeShape(x)}; ${role} must be 1×${x.columns}`,
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
  checkParameter('gain', gain, x);
  checkParameter('bias', bias, x);
  if (!(epsilon > 0 && Number.isFinite(epsilon))) {
    throw new AutodiffError('bad-option', `layerNorm: epsilon must be greater than 0 and finite, got ${epsilon}`);
  }
  const { rows, columns } = x;
  const average = tape.allocate(rows, 1);
  reduce('sum', x.value, average);
  affine(average, 1 / columns, 0, average);
  const normalized = tape.allocate(rows, columns);
  binary('subtract', x.value, average, normalized);
  const inverseDeviation = tape.allocate(rows, 1);
  reduce('sumSquares', normalized, inverseDeviation);
  affine(inverseDeviation, 1 / columns, epsilon, inverseDeviation);
  unary('sqrt', inverseDeviation, inverseDeviation);
  unary('reciprocal', inverseDeviation, inverseDeviation);
  scaleRows(normalized, inverseDeviation, normalized);
  const out = tape.allocate(rows, columns);
  binary('multiply', normalized, gain.value, out);
  binary('add', out, bias.value, out);
  return tape.record(out, [x, gain, bias], (gradient, sink) => {
    if (gain.requiresGradient) sink.give(gain, productSumTo(tape, gradient, normalized, gain));
    if (bias.requiresGradient) sink.give(bias, sumTo(tape, gradient, bias));
    if (x.requiresGradient) sink.give(x, inputGradient(tape, gradient, gain.value, normalized, inverseDeviation));
  });
}

/** ∂x = (h − mean(h) − x̂ ∘ mean(h ∘ x̂)) / √(σ² + ε) with h = g ∘ gain and means over the row. */
function inputGradient(
  tape: Tape,
  gradient: Matrix,
  gain: Matrix,
  normalized: Matrix,
  inverseDeviation: Matrix,
): Matrix {
  const { rows, columns } = gradient;
  const scaled = tape.allocate(rows, columns);
  binary('multiply', gradient, gain, scaled);
  const average = tape.allocate(rows, 1);
  reduce('sum', scaled, average);
  affine(average, 1 / columns, 0, average);
  const correlation = tape.allocate(rows, 1);
  rowDot(scaled, normalized, correlation);
  affine(correlation, 1 / columns, 0, correlation);
  binary('subtract', scaled, average, scaled);
  const along = tape.allocate(rows, columns);
  scaleRows(normalized, correlation, along);
  binary('subtract', scaled, along, scaled);
  scaleRows(scaled, inverseDeviation, scaled);
  return scaled;
}
