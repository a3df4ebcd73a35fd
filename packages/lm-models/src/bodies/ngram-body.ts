/**
 * The body of a neural n-gram language model (Y. Bengio et al., JMLR 2003): the concatenated embeddings of the n
 * previous words, then one or more dense layers.
 */
import type { ModuleState } from '@vastmax/linalg-core/state';
import { gatherTable, reshape, type Tape, type Variable } from '@vastmax/autodiff';
import { Workspace, type Backend } from '@vastmax/linalg-core';
import { RandomGenerator, type NgramBatch } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';
import type { Body, PromptOptions } from '../network/network.ts';
import { DenseLayers } from './dense-layers.ts';
import {
  checkDropout,
  checkName,
  checkParameters,
  checkSameOptions,
  checkScale,
  checkSizes,
  countParameters,
  parameterTensors,
  restoreParameters,
  activationNames,
  createEmbeddings,
  SeededDropout,
  type BatchPart,
  type ActivationName,
  type BodyStart,
  type ModelParameters,
  type TableParameter,
} from './layers.ts';

/** Sizes and regularisation of an n-gram body. */
export interface NgramBodyOptions {
  /** Rows of the embedding table: the vocabulary's size. */
  readonly words: number;
  /** n, the number of previous words that the model reads. */
  readonly order: number;
  /** Width of an embedding. */
  readonly embedding: number;
  /** Width of each dense layer; the last one is the input of the output layer. */
  readonly hidden: readonly number[];
  readonly activation?: ActivationName;
  /** Probability of dropping an activation in training; 0 unless given. */
  readonly dropout?: number;
  /** Standard deviation of the embeddings' normal start; 0.1 unless given. */
  readonly embeddingScale?: number;
  readonly seed?: number;
}

/**
 * The part of a minibatch that the body reads: `contexts` has n word numbers for each of the `size` examples, one
 * example after the other, the word before the target last.
 */
export type NgramInputs = Pick<NgramBatch, 'contexts' | 'size'> & { readonly part?: BatchPart };

/** The embeddings of the words before, concatenated, and dense layers after them (Bengio et al. 2003). */
export class NgramBody implements Body<NgramInputs> {
  readonly backend: Backend;
  readonly options: Required<NgramBodyOptions>;
  readonly embeddings: TableParameter;
  readonly parameters: ModelParameters;
  readonly #layers: DenseLayers;
  readonly #workspace: Workspace;
  readonly #dropout: SeededDropout;

  constructor(backend: Backend, options: NgramBodyOptions, start: BodyStart = 'random') {
    const settings = { activation: 'tanh', dropout: 0, embeddingScale: 0.1, seed: 1, ...options } as const;
    checkOptions(settings);
    const { words, order, embedding, hidden, activation, embeddingScale, seed } = settings;
    this.backend = backend;
    this.options = settings;
    this.#workspace = new Workspace(backend);
    this.#dropout = new SeededDropout(settings.dropout, seed + 2);
    const random = new RandomGenerator(seed + 1);
    this.embeddings = createEmbeddings(backend, words, embedding, embeddingScale, random, start);
    this.#layers = new DenseLayers(backend, {
      inputs: order * embedding,
      widths: hidden,
      activation,
      inputScale: embeddingScale,
      random,
    });
    this.parameters = { matrices: this.#layers.parameters, tables: [this.embeddings] };
  }

  get features(): number {
    return this.options.hidden[this.options.hidden.length - 1] ?? this.options.order * this.options.embedding;
  }

  get parameterCount(): number {
    return countParameters(this.parameters);
  }

  forward(tape: Tape, { contexts, size, part }: NgramInputs, options: { readonly training?: boolean } = {}): Variable {
    const { order, embedding } = this.options;
    const indices = this.#workspace.indices('contexts', contexts, size * order);
    const x = reshape(gatherTable(this.embeddings.use(tape), indices), size, order * embedding);
    return this.#layers.forward(tape, x, this.#dropout, options.training ?? false, part);
  }

  /** The last n words of each prompt; a shorter one is padded in front. */
  forwardPrompts(tape: Tape, prompts: readonly ArrayLike<number>[], { paddingId }: PromptOptions = {}): Variable {
    const { order } = this.options;
    const contexts = new Int32Array(prompts.length * order);
    for (const [row, prompt] of prompts.entries()) {
      for (let place = 0; place < order; place++) {
        const id = prompt[prompt.length - order + place] ?? paddingId;
        if (id === undefined) {
          throw new ModelError(
            'bad-option',
            `n-gram model: prompt ${row} has ${prompt.length} words, the model reads ${order}; give a paddingId`,
          );
        }
        contexts[row * order + place] = id;
      }
    }
    return this.forward(tape, { contexts, size: prompts.length });
  }

  state(): ModuleState {
    return {
      configuration: { ...this.options, hidden: [...this.options.hidden], dropoutRandom: this.#dropout.state() },
      tensors: parameterTensors(this.parameters),
    };
  }

  /**
   * @throws ModelError or OutputLayerError `state-mismatch` when the state is of a model with other sizes, order or
   * activation.
   */
  async restore(state: ModuleState): Promise<void> {
    // Models with different activations have the same tensor shapes, and so do two orders with other embedding widths.
    checkSameOptions('n-gram model', state, this.options, ['order', 'activation']);
    checkParameters(state, this.parameters);
    // All checks that can reject the state are done: from here on the weights change.
    await restoreParameters(state, this.parameters);
    this.#dropout.restore(state.configuration['dropoutRandom']);
  }

  [Symbol.dispose](): void {
    this.#workspace[Symbol.dispose]();
    this.embeddings[Symbol.dispose]();
    this.#layers[Symbol.dispose]();
  }
}

function checkOptions(options: Required<NgramBodyOptions>): void {
  const model = 'n-gram model';
  checkSizes(model, [
    ['words', options.words],
    ['order', options.order],
    ['embedding', options.embedding],
    ...options.hidden.map((size, layer) => [`hidden layer ${layer + 1}`, size] as const),
  ]);
  if (options.hidden.length === 0)
    throw new ModelError('bad-option', `${model}: hidden must name at least one layer width, got none`);
  checkName(model, 'activation', options.activation, activationNames);
  checkDropout(model, 'dropout', options.dropout);
  checkScale(model, 'embeddingScale', options.embeddingScale);
}
