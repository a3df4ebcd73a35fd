/**
 * Vectors that another encoder has made, as they are or through dense layers: the body below an output layer over
 * frozen features. Without layers it has no parameters, and training changes the output layer alone.
 */
import { scale, type Tape, type Variable } from '@vastmax/autodiff';
import { write, type Backend } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import { RandomGenerator, type DenseRows } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';
import type { Body } from '../network/network.ts';
import { DenseLayers } from './dense-layers.ts';
import {
  activationNames,
  checkDropout,
  checkName,
  checkParameters,
  checkSameOptions,
  checkScale,
  checkSizes,
  countParameters,
  parameterTensors,
  restoreParameters,
  SeededDropout,
  type BatchPart,
  type ActivationName,
  type ModelParameters,
} from './layers.ts';

/** Sizes and start of a {@link DenseBody}. */
export interface DenseBodyOptions {
  /** Width of the vectors. */
  readonly inputs: number;
  /** Width of each dense layer; none unless given: the vectors are the activations. */
  readonly hidden?: readonly number[];
  /** Of the layers; `relu` unless given. */
  readonly activation?: ActivationName;
  /** Whether each layer is normalised before its activation; false unless given. */
  readonly layerNorm?: boolean;
  /** Probability of dropping an activation of a layer in training; 0 unless given. */
  readonly dropout?: number;
  /** Probability of dropping a number of a vector in training; 0 unless given. */
  readonly inputDropout?: number;
  /** What vectors are divided by: the root mean square of their numbers, for instance; 1 unless given. */
  readonly inputScale?: number;
  readonly seed?: number;
}

/** The part of a minibatch that the body reads: one row of f32 or f64 per example. */
export interface DenseInputs {
  readonly inputs: DenseRows;
  /** Over ranks. */
  readonly part?: BatchPart;
}

/** A body over vectors that another encoder has made: the vectors themselves, or dense layers over them. */
export class DenseBody implements Body<DenseInputs> {
  readonly backend: Backend;
  readonly options: Required<DenseBodyOptions>;
  readonly parameters: ModelParameters;
  readonly #layers: DenseLayers;
  readonly #dropout: SeededDropout;
  readonly #inputDropout: SeededDropout;

  /** @throws ModelError `bad-option`. */
  constructor(backend: Backend, options: DenseBodyOptions) {
    const settings = {
      hidden: [],
      activation: 'relu',
      layerNorm: false,
      dropout: 0,
      inputDropout: 0,
      inputScale: 1,
      seed: 1,
      ...options,
    } as const;
    checkOptions(settings);
    const { inputs, hidden, activation, layerNorm, dropout, inputDropout, seed } = settings;
    this.backend = backend;
    this.options = settings;
    this.#dropout = new SeededDropout(dropout, seed + 2);
    this.#inputDropout = new SeededDropout(inputDropout, seed + 3);
    this.#layers = new DenseLayers(backend, {
      inputs,
      widths: hidden,
      activation,
      inputScale: 1,
      layerNorm,
      random: new RandomGenerator(seed + 1),
    });
    this.parameters = { matrices: this.#layers.parameters, tables: [] };
  }

  get features(): number {
    return this.options.hidden[this.options.hidden.length - 1] ?? this.options.inputs;
  }

  get parameterCount(): number {
    return countParameters(this.parameters);
  }

  /**
   * m×features. The vectors are copied to the backend, O(m·inputs), and 2m operations for each number of the layers.
   * @throws ModelError `bad-option` for vectors of another width, or stored in half precision.
   */
  forward(tape: Tape, { inputs, part }: DenseInputs, options: { readonly training?: boolean } = {}): Variable {
    const { training = false } = options;
    const { rows, columns, values } = inputs;
    if (columns !== this.options.inputs)
      throw new ModelError(
        'bad-option',
        `dense model: vectors of ${columns} numbers, its own have ${this.options.inputs}`,
      );
    if (values instanceof Uint16Array)
      throw new ModelError(
        'bad-option',
        'dense model: the vectors are of half precision; DenseBatches and collectDenseRows widen them',
      );
    const given = tape.allocate(rows, columns);
    write(values.length === rows * columns ? values : values.subarray(0, rows * columns), given);
    const { inputScale } = this.options;
    const x = inputScale === 1 ? tape.constant(given) : scale(tape.constant(given), 1 / inputScale);
    const dropped = this.#inputDropout.apply(x, training, part && { ...part, count: rows });
    return this.#layers.forward(tape, dropped, this.#dropout, training, part);
  }

  state(): ModuleState {
    return {
      configuration: {
        ...this.options,
        hidden: [...this.options.hidden],
        dropoutRandom: this.#dropout.state(),
        inputDropoutRandom: this.#inputDropout.state(),
      },
      tensors: parameterTensors(this.parameters),
    };
  }

  /** @throws ModelError or StateError `state-mismatch` when the state is of a model with other options. */
  async restore(state: ModuleState): Promise<void> {
    checkSameOptions('dense model', state, this.options, ['inputs', 'activation', 'layerNorm', 'inputScale']);
    checkParameters(state, this.parameters);
    // All checks that can reject the state are done: from here on the weights change.
    await restoreParameters(state, this.parameters);
    this.#dropout.restore(state.configuration['dropoutRandom']);
    this.#inputDropout.restore(state.configuration['inputDropoutRandom']);
  }

  [Symbol.dispose](): void {
    this.#layers[Symbol.dispose]();
  }
}

function checkOptions(options: Required<DenseBodyOptions>): void {
  const model = 'dense model';
  checkSizes(model, [
    ['inputs', options.inputs],
    ...options.hidden.map((size, layer) => [`hidden layer ${layer + 1}`, size] as const),
  ]);
  checkName(model, 'activation', options.activation, activationNames);
  checkDropout(model, 'dropout', options.dropout);
  checkDropout(model, 'inputDropout', options.inputDropout);
  checkScale(model, 'inputScale', options.inputScale);
}
