/** Dense layers one after the other: activation(x·W + b), with dropout after each. */
import { add, matmul, type Tape, type Variable } from '@vastmax/autodiff';
import { write, type Backend } from '@vastmax/linalg-core';
import type { RandomGenerator } from '@vastmax/sparse-data';
import { Parameter } from '../parameters.ts';
import { activations, type ActivationName } from './activations.ts';
import type { SeededDropout } from './seeded-dropout.ts';

export interface DenseLayersOptions {
  /** Width of what comes in. */
  readonly inputs: number;
  /** Width of each layer. */
  readonly widths: readonly number[];
  readonly activation: ActivationName;
  /** Standard deviation of what comes in at the start; the first layer divides by it. */
  readonly inputScale: number;
  readonly random: RandomGenerator;
}

export class DenseLayers implements Disposable {
  /** `hidden.0.weights`, `hidden.0.bias`, `hidden.1.weights` … */
  readonly parameters: readonly Parameter[];
  readonly #activation: ActivationName;
  readonly #layers: readonly { readonly weights: Parameter; readonly bias: Parameter }[];

  constructor(backend: Backend, { inputs, widths, activation, inputScale, random }: DenseLayersOptions) {
    this.#activation = activation;
    let width = inputs;
    let scale = inputScale;
    this.#layers = widths.map((size, layer) => {
      // Variance 1/(width·scale²), so that what enters the first activation has variance 1.
      const weights = createUniform(backend, width, size, Math.sqrt(3 / width) / scale, random);
      width = size;
      scale = 1;
      return {
        weights: new Parameter(`hidden.${layer}.weights`, weights),
        bias: new Parameter(`hidden.${layer}.bias`, backend.createMatrix(1, size)),
      };
    });
    this.parameters = this.#layers.flatMap(({ weights, bias }) => [weights, bias]);
  }

  /** m×(width of the last layer). 2·m·(numbers in the weights). */
  forward(tape: Tape, input: Variable, dropout: SeededDropout, training: boolean): Variable {
    let x = input;
    for (const { weights, bias } of this.#layers) {
      x = activations[this.#activation](add(matmul(x, weights.use(tape)), bias.use(tape)));
      x = dropout.apply(x, training);
    }
    return x;
  }

  [Symbol.dispose](): void {
    for (const parameter of this.parameters) parameter[Symbol.dispose]();
  }
}

/** Uniform in [−bound, bound). */
export function createUniform(
  backend: Backend,
  rows: number,
  columns: number,
  bound: number,
  random: RandomGenerator,
): Parameter['value'] {
  const matrix = backend.createMatrix(rows, columns);
  write(
    Float64Array.from({ length: rows * columns }, () => bound * (2 * random.uniform() - 1)),
    matrix,
  );
  return matrix;
}
