/**
 * A loss expression applied to a whole vector of outputs: its value, and its gradient 2α(o − μ1) + β1 + γ from the
 * three that the tape gives.
 */
import { add, multiply, scale, square, sum, Tape, type Variable } from '@vastmax/autodiff';
import { createMatrixFrom, createPlainBackend, read, Scope, type Matrix } from '@vastmax/linalg-core';
import type { SphericalLoss } from '@vastmax/spherical-losses';

export interface LossOnOutputs {
  readonly value: number;
  readonly alpha: number;
  readonly beta: number;
  /** One for each target. */
  readonly gamma: Float64Array;
  /** D long. */
  readonly gradient: Float64Array;
}

export interface LossVariables {
  /** r = Σ(o − μ)². */
  readonly squaredDeviations: Variable;
  readonly s: Variable;
  /** P×1. */
  readonly output: Variable;
}

/** The reduced loss of one example as one number, from 1×1 r and s and P×1 outputs. */
export function lossOf(
  loss: SphericalLoss,
  tape: Tape,
  { squaredDeviations, s, output }: LossVariables,
  weights: Matrix,
  ones: Matrix,
  classes: number,
): Variable {
  const constantOf = (target: number): number => loss.classConstants?.[target] ?? 0;
  const constantSum = Array.from({ length: loss.classConstants?.length ?? 0 }, (_, k) => constantOf(k)).reduce(
    (total, value) => total + value,
    0,
  );
  const column = tape.constant(ones);
  const q = add(squaredDeviations, scale(square(s), 1 / classes));
  const perTarget = loss.perTarget({
    q: multiply(column, q),
    s: multiply(column, s),
    squaredDeviations: multiply(column, squaredDeviations),
    output,
    weight: tape.constant(weights),
    classes,
    constant: undefined,
    constantSum,
  });
  const value = sum(multiply(perTarget, tape.constant(weights)));
  const perExample = loss.perExample?.({ q, s, squaredDeviations, classes });
  return perExample === undefined ? value : add(value, perExample);
}

export async function applyLoss(
  loss: SphericalLoss,
  outputs: Float64Array,
  targets: ReadonlyMap<number, number>,
): Promise<LossOnOutputs> {
  using scope = new Scope(createPlainBackend({ precision: 'f64' }));
  const { backend } = scope;
  const tape = scope.own(new Tape(backend));
  const classes = outputs.length;
  const columnOf = (values: readonly number[]): Matrix =>
    scope.own(createMatrixFrom(backend, values.length, 1, values));
  const chosen = [...targets.keys()];
  const total = outputs.reduce((sumSoFar, o) => sumSoFar + o, 0);
  const mean = total / classes;
  const squaredDeviations = tape.variable(columnOf([outputs.reduce((sumSoFar, o) => sumSoFar + (o - mean) ** 2, 0)]));
  const s = tape.variable(columnOf([total]));
  const output = tape.variable(columnOf(chosen.map((target) => outputs[target]!)));
  const weights = columnOf([...targets.values()].map((weight) => weight * loss.targetScale));
  const value = lossOf(loss, tape, { squaredDeviations, s, output }, weights, columnOf(chosen.map(() => 1)), classes);
  tape.backward(value);
  const gradientOf = async (variable: Variable): Promise<Float64Array> =>
    variable.gradient === undefined
      ? new Float64Array(variable.rows)
      : Float64Array.from(await read(variable.gradient));
  const alpha = (await gradientOf(squaredDeviations))[0]!;
  const beta = (await gradientOf(s))[0]!;
  const gamma = await gradientOf(output);
  const gradient = outputs.map((o) => 2 * alpha * (o - mean) + beta);
  chosen.forEach((target, i) => {
    gradient[target]! += gamma[i]!;
  });
  return { value: (await read(value.value))[0]!, alpha, beta, gamma, gradient };
}
