/**
 * Gradients against central differences (f(x+h) − f(x−h)) / 2h. The error is about h² from the truncation and ε/h from
 * rounding, least at h = ε^⅓; so a right gradient agrees to 1e-9 or so where values are near 1, and a wrong one does
 * not agree to 1e-3. An output that is no scalar is contracted with fixed weights that favour no direction, since a
 * seed of ones hides errors that cancel (every softmax has a gradient of 0 then).
 */
import { createMatrixFrom, read, Scope, write, type Backend, type FloatArray } from '@vastmax/linalg-core';
import { AutodiffError } from './errors.ts';
import { Tape } from './tape.ts';
import type { Variable } from './variable.ts';

/** A matrix that `compareWithFiniteDifferences` varies, row by row. */
export interface DifferenceInput {
  readonly rows: number;
  readonly columns: number;
  /** rows·columns numbers, row by row; away from kinks by more than the step. */
  readonly values: readonly number[];
}

/** How far an element is moved, relative to its size. */
export interface DifferenceOptions {
  /** h = stepScale · max(1, |x|); the cube root of the f64 epsilon, 6.1e-6, unless given. */
  readonly stepScale?: number;
}

/** A variable for each input: a tuple where the inputs are one. */
export type VariablesOf<Inputs extends readonly DifferenceInput[]> = { -readonly [Position in keyof Inputs]: Variable };
/** A relative error for each input likewise. */
export type ErrorsOf<Inputs extends readonly DifferenceInput[]> = { -readonly [Position in keyof Inputs]: number };

/** Weight of output element i. */
function outputWeight(i: number): number {
  return Math.cos(1.7 * i + 0.6) + 0.25;
}

/** The scalar that is differentiated; with `Math.abs` an upper bound of its terms, which scales the rounding noise. */
function contract(output: FloatArray, term: (x: number) => number = Number): number {
  let total = 0;
  for (let i = 0; i < output.length; i++) total += term(outputWeight(i) * output[i]!);
  return total;
}

/**
 * Compare the gradients of an expression with central differences.
 * @param backend an f64 one: in f32 the differences are noise.
 * @param build makes the output, of any shape, from one variable for each input; called 2·(number of elements) + 1
 * times, and must compute the same each time (fixed dropout masks).
 * @returns for each input the largest difference, divided by the largest gradient element of that input; 0 for an empty
 * input and where both gradients are below the rounding noise of the differences. NaN when either holds NaN.
 * @throws AutodiffError `bad-option` for an f32 backend or a bad step, `shape` when the values do not fill an input.
 */
export async function compareWithFiniteDifferences<const Inputs extends readonly DifferenceInput[]>(
  backend: Backend,
  build: (tape: Tape, inputs: VariablesOf<Inputs>) => Variable,
  inputs: Inputs,
  options: DifferenceOptions = {},
): Promise<ErrorsOf<Inputs>> {
  const { stepScale = Math.cbrt(Number.EPSILON) } = options;
  checkArguments(backend, inputs, stepScale);
  using scope = new Scope(backend);
  const tape = scope.own(new Tape(backend));
  const matrices = inputs.map(({ rows, columns, values }) =>
    scope.own(createMatrixFrom(backend, rows, columns, values)),
  );
  const makeVariables = (): VariablesOf<Inputs> =>
    matrices.map((matrix) => tape.variable(matrix)) as VariablesOf<Inputs>;

  const evaluate = async (): Promise<number> => {
    tape.reset();
    return contract(await read(build(tape, makeVariables()).value));
  };

  // The gradients stay readable as arrays only: the first difference resets the tape.
  const variables = makeVariables();
  const output = build(tape, variables);
  const weights = Array.from({ length: output.rows * output.columns }, (_, i) => outputWeight(i));
  tape.backward(output, scope.own(createMatrixFrom(backend, output.rows, output.columns, weights)));
  const noise = (16 * Number.EPSILON * contract(await read(output.value), Math.abs)) / stepScale;
  const gradients: ArrayLike<number>[] = [];
  for (const { gradient, rows, columns } of variables) {
    gradients.push(gradient === undefined ? new Float64Array(rows * columns) : await read(gradient));
  }

  const errors: number[] = [];
  for (const [i, matrix] of matrices.entries()) {
    const values = Float64Array.from(inputs[i]!.values);
    let difference = 0;
    let magnitude = 0;
    for (const [element, value] of inputs[i]!.values.entries()) {
      const step = stepScale * Math.max(1, Math.abs(value));
      const above = value + step;
      const below = value - step;
      values[element] = above;
      write(values, matrix);
      const valueAbove = await evaluate();
      values[element] = below;
      write(values, matrix);
      const valueBelow = await evaluate();
      values[element] = value;
      const expected = (valueAbove - valueBelow) / (above - below);
      const actual = gradients[i]![element]!;
      // Math.max keeps NaN.
      difference = Math.max(difference, Math.abs(actual - expected));
      magnitude = Math.max(magnitude, Math.abs(actual), Math.abs(expected));
    }
    write(values, matrix);
    errors.push(magnitude <= noise ? 0 : difference / magnitude);
  }
  return errors as ErrorsOf<Inputs>;
}

function checkArguments(backend: Backend, inputs: readonly DifferenceInput[], stepScale: number): void {
  if (backend.precision !== 'f64') {
    throw new AutodiffError(
      'bad-option',
      `compareWithFiniteDifferences: '${backend.name}' stores ${backend.precision}; give an f64 backend, createPlainBackend({ precision: 'f64' })`,
    );
  }
  if (!(stepScale > 0 && stepScale < 1)) {
    throw new AutodiffError(
      'bad-option',
      `compareWithFiniteDifferences: stepScale must be between 0 and 1, got ${stepScale}`,
    );
  }
  for (const [i, { rows, columns, values }] of inputs.entries()) {
    if (values.length !== rows * columns) {
      throw new AutodiffError(
        'shape',
        `compareWithFiniteDifferences: input ${i} is ${rows}×${columns} with ${values.length} values; give ${rows * columns}`,
      );
    }
  }
}
