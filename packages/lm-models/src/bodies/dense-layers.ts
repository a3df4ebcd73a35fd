/** Dense layers one after the other, which several bodies end with. */
import { add, layerNorm, matmul, type Tape, type Variable } from '@vastmax/autodiff';
import { fill, type Backend } from '@vastmax/linalg-core';
import type { RandomGenerator } from '@vastmax/sparse-data';
import {
  activations,
  createUniform,
  Parameter,
  type ActivationName,
  type BatchPart,
  type SeededDropout,
} from './layers.ts';

export interface DenseLayersOptions {
  /** Width of the input. */
  readonly inputs: number;
  /** Width of each layer. */
  readonly widths: readonly number[];
  readonly activation: ActivationName;
  /** Standard deviation of the input at the start of training; the first layer divides by it. */
  readonly inputScale: number;
  /** Whether each product is normalised before the activation (arXiv:1607.06450); false unless given. */
  readonly layerNorm?: boolean;
  readonly random: RandomGenerator;
}

interface Layer {
  readonly weights: Parameter;
  readonly bias: Parameter;
  /** Of a layer that is normalised. */
  readonly gain: Parameter | undefined;
}

/** activation(x·W + b), or activation(layerNorm(x·W; gain, b)), with dropout after each. */
export class DenseLayers implements Disposable {
  /** `hidden.0.weights`, `hidden.0.bias`, with layer norm `hidden.0.gain`, `hidden.1.weights` … */
  readonly parameters: readonly Parameter[];
  readonly #activation: ActivationName;
  readonly #layers: readonly Layer[];

  constructor(
    backend: Backend,
    { inputs, widths, activation, inputScale, layerNorm: isNormalized = false, random }: DenseLayersOptions,
  ) {
    this.#activation = activation;
    let width = inputs;
    let scale = inputScale;
    this.#layers = widths.map((size, layer) => {
      // Variance 1/(width·scale²), so that the input of the first activation has variance 1.
      const weights = createUniform(backend, width, size, Math.sqrt(3 / width) / scale, random);
      width = size;
      scale = 1;
      return {
        weights: new Parameter(`hidden.${layer}.weights`, weights),
        bias: new Parameter(`hidden.${layer}.bias`, backend.createMatrix(1, size)),
        gain: isNormalized ? createGain(backend, layer, size) : undefined,
      };
    });
    this.parameters = this.#layers.flatMap(({ weights, bias, gain }) =>
      gain === undefined ? [weights, bias] : [weights, bias, gain],
    );
  }

  /**
   * m×(width of the last layer). 2·m·(numbers in the weights).
   * @param part of the minibatch, over ranks.
   */
  forward(tape: Tape, input: Variable, dropout: SeededDropout, training: boolean, part?: BatchPart): Variable {
    const rows = part && { ...part, count: input.rows };
    let x = input;
    for (const { weights, bias, gain } of this.#layers) {
      const product = matmul(x, weights.use(tape));
      const shifted =
        gain === undefined ? add(product, bias.use(tape)) : layerNorm(product, gain.use(tape), bias.use(tape));
      x = dropout.apply(activations[this.#activation](shifted), training, rows);
    }
    return x;
  }

  [Symbol.dispose](): void {
    for (const parameter of this.parameters) parameter[Symbol.dispose]();
  }
}

function createGain(backend: Backend, layer: number, width: number): Parameter {
  const gain = backend.createMatrix(1, width);
  fill(1, gain);
  return new Parameter(`hidden.${layer}.gain`, gain);
}
