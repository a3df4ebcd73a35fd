/**
 * A bag of weighted inputs: the sum of their rows of a table, followed by any number of dense layers. It is the first
 * layer of an MLP over sparse features, the encoder of an autoencoder of sets, and, without activation, the mean of
 * word or item vectors (fastText, arXiv:1607.01759; CBOW and skip-gram, arXiv:1301.3781). The minibatches determine
 * which of these it is: {@link bagModelShape}.
 */
import type { ModuleState } from '@vastmax/linalg-core/state';
import { add, sparseTimesTable, type Tape, type Variable } from '@vastmax/autodiff';
import type { Backend } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator, type CsrRows } from '@vastmax/sparse-data';
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
  activations,
  createEmbeddings,
  Parameter,
  SeededDropout,
  type ActivationName,
  type BatchPart,
  type BodyStart,
  type ModelParameters,
  type RowPart,
  type TableParameter,
} from './layers.ts';
import { poolingNames, SparseInputs, type Pooling } from './sparse-inputs.ts';

/** Sizes and regularisation of a bag body; only the number of inputs and the width of an embedding are required. */
export interface BagBodyOptions {
  /** Rows of the table: the number of different inputs, which is the number of columns of the sparse rows. */
  readonly inputs: number;
  /** Width of the table: of an embedding, or of the first hidden layer. */
  readonly embedding: number;
  /** How the inputs of an example are weighted; `mean` unless given. */
  readonly pooling?: Pooling;
  /** Activation of the bag, with a bias; `identity` (unless given) has neither: the bag itself is the output. */
  readonly activation?: ActivationName | 'identity';
  /**
   * Width of each dense layer after the bag; none unless given. Their activation is that of the bag, or tanh if that is
   * the identity.
   */
  readonly hidden?: readonly number[];
  /** Probability of dropping an activation in training; 0 unless given. */
  readonly dropout?: number;
  /** Probability of dropping an input in training; 0 unless given. */
  readonly inputDropout?: number;
  /** Standard deviation of the table's normal start; 0.1 unless given. */
  readonly embeddingScale?: number;
  readonly seed?: number;
}

/** The part of a minibatch that the body reads: one row per example. */
export interface BagInputs {
  readonly inputs: CsrRows;
  /** Over ranks. */
  readonly part?: BatchPart;
}

/**
 * The pooled embeddings of sparse inputs, and dense layers after them if there are any: word vectors, texts, baskets.
 */
export class BagBody implements Body<BagInputs> {
  readonly backend: Backend;
  readonly options: Required<BagBodyOptions>;
  readonly embeddings: TableParameter;
  readonly parameters: ModelParameters;
  readonly #bias: Parameter | undefined;
  readonly #layers: DenseLayers;
  readonly #inputs: SparseInputs;
  readonly #dropout: SeededDropout;

  constructor(backend: Backend, options: BagBodyOptions, start: BodyStart = 'random') {
    const settings = {
      pooling: 'mean',
      activation: 'identity',
      hidden: [],
      dropout: 0,
      inputDropout: 0,
      embeddingScale: 0.1,
      seed: 1,
      ...options,
    } as const;
    checkOptions(settings);
    const { inputs, embedding, activation, hidden, embeddingScale, seed } = settings;
    this.backend = backend;
    this.options = settings;
    this.#inputs = new SparseInputs(backend);
    this.#dropout = new SeededDropout(settings.dropout, seed + 2);
    const random = new RandomGenerator(seed + 1);
    this.embeddings = createEmbeddings(backend, inputs, embedding, embeddingScale, random, start);
    this.#bias = activation === 'identity' ? undefined : new Parameter('bias', backend.createMatrix(1, embedding));
    this.#layers = new DenseLayers(backend, {
      inputs: embedding,
      widths: hidden,
      activation: activation === 'identity' ? 'tanh' : activation,
      inputScale: embeddingScale,
      random,
    });
    this.parameters = {
      matrices: [...(this.#bias === undefined ? [] : [this.#bias]), ...this.#layers.parameters],
      tables: [this.embeddings],
    };
  }

  get features(): number {
    return this.options.hidden[this.options.hidden.length - 1] ?? this.options.embedding;
  }

  get parameterCount(): number {
    return countParameters(this.parameters);
  }

  /**
   * The output, m×features. 2·(entries)·(embedding) operations, and 2m for each number of the dense layers, whatever
   * the number of inputs.
   */
  forward(tape: Tape, { inputs, part }: BagInputs, options: { readonly training?: boolean } = {}): Variable {
    const { training = false } = options;
    const { pooling, activation, inputDropout } = this.options;
    const drops = training && inputDropout > 0;
    const entries = this.#inputs.entries(inputs, {
      pooling,
      ...(drops ? { dropout: { rate: inputDropout, random: this.#dropout.source(entriesOf(inputs, part)) } } : {}),
    });
    let x = sparseTimesTable(entries, this.embeddings.use(tape));
    if (this.#bias !== undefined && activation !== 'identity')
      x = activations[activation](add(x, this.#bias.use(tape)));
    const dropped = this.#dropout.apply(x, training, part && { ...part, count: x.rows });
    return this.#layers.forward(tape, dropped, this.#dropout, training, part);
  }

  /**
   * The bag of the last `maxWords` words of each prompt (all unless given); an empty prompt is the padding word only.
   */
  forwardPrompts(tape: Tape, prompts: readonly ArrayLike<number>[], options: PromptOptions = {}): Variable {
    const { paddingId, maxWords = Infinity } = options;
    const bags = prompts.map((prompt) =>
      prompt.length === 0 && paddingId !== undefined
        ? [paddingId]
        : Array.from(prompt).slice(Math.max(0, prompt.length - maxWords)),
    );
    return this.forward(tape, { inputs: csrFromLists(bags, this.options.inputs) });
  }

  state(): ModuleState {
    return {
      configuration: { ...this.options, hidden: [...this.options.hidden], dropoutRandom: this.#dropout.state() },
      tensors: parameterTensors(this.parameters),
    };
  }

  /**
   * @throws ModelError or OutputLayerError `state-mismatch` when the state is of a model with other sizes, pooling or
   * activation.
   */
  async restore(state: ModuleState): Promise<void> {
    checkSameOptions('bag model', state, this.options, ['pooling', 'activation']);
    checkParameters(state, this.parameters);
    // All checks that can reject the state are done: from here on the weights change.
    await restoreParameters(state, this.parameters);
    this.#dropout.restore(state.configuration['dropoutRandom']);
  }

  [Symbol.dispose](): void {
    this.#inputs[Symbol.dispose]();
    this.embeddings[Symbol.dispose]();
    this.#bias?.[Symbol.dispose]();
    this.#layers[Symbol.dispose]();
  }
}

function checkOptions(options: Required<BagBodyOptions>): void {
  const model = 'bag model';
  checkSizes(model, [
    ['inputs', options.inputs],
    ['embedding', options.embedding],
    ...options.hidden.map((size, layer) => [`hidden layer ${layer + 1}`, size] as const),
  ]);
  checkName(model, 'pooling', options.pooling, poolingNames);
  checkName(model, 'activation', options.activation, [...activationNames, 'identity']);
  checkDropout(model, 'dropout', options.dropout);
  checkDropout(model, 'inputDropout', options.inputDropout);
  checkScale(model, 'embeddingScale', options.embeddingScale);
}

/**
 * Each name is a bag body with certain minibatches:
 *
 * | model | minibatches | what comes out |
 * |---|---|---|
 * | classifier | SparseBatches of features and labels | labels of a document |
 * | text-classifier | SparseBatches of the words of texts and labels | labels of a text, as in fastText |
 * | autoencoder | SetBatches | a set completed from a part of it |
 * | cbow, skip-gram | WindowBatches, `centre` and `context` | word vectors |
 * | next-item | WindowBatches of sessions, `after: 0`, `centre` | the item after the last few |
 */
export const bagModelNames = [
  'classifier',
  'text-classifier',
  'autoencoder',
  'cbow',
  'skip-gram',
  'next-item',
] as const;
/** A text model whose body is a bag. */
export type BagModelName = (typeof bagModelNames)[number];

type BagShape = Required<
  Pick<BagBodyOptions, 'pooling' | 'activation' | 'hidden' | 'embeddingScale' | 'inputDropout' | 'dropout'>
>;

// Initial scales: a bag of unit length has entries of that standard deviation. Measured on Bibtex and Delicious
// (classifier) and Moby (autoencoder), with Adam on the body at rates of 0.003 to 0.01.
const shapes: Readonly<Record<BagModelName, BagShape>> = {
  classifier: { pooling: 'unit', activation: 'relu', hidden: [], embeddingScale: 0.05, inputDropout: 0, dropout: 0.2 },
  // As fastText, without anything between the words and the output layer. Not their mean: with it the activations of a
  // text are √n times as small as its words' vectors, and Adam's rate is measured by the vectors.
  'text-classifier': {
    pooling: 'unit',
    activation: 'identity',
    hidden: [],
    embeddingScale: 0.05,
    inputDropout: 0,
    dropout: 0,
  },
  autoencoder: { pooling: 'unit', activation: 'tanh', hidden: [], embeddingScale: 1, inputDropout: 0, dropout: 0 },
  cbow: { pooling: 'mean', activation: 'identity', hidden: [], embeddingScale: 0.1, inputDropout: 0, dropout: 0 },
  'skip-gram': {
    pooling: 'mean',
    activation: 'identity',
    hidden: [],
    embeddingScale: 0.1,
    inputDropout: 0,
    dropout: 0,
  },
  'next-item': {
    pooling: 'mean',
    activation: 'identity',
    hidden: [],
    embeddingScale: 0.1,
    inputDropout: 0,
    dropout: 0,
  },
};

/**
 * Default options of a bag body of that name; each can be overridden.
 * @throws ModelError `bad-option` for an unknown name.
 */
export function bagModelShape(name: string): BagShape {
  const shape = Object.hasOwn(shapes, name) ? shapes[name as BagModelName] : undefined;
  if (shape === undefined)
    throw new ModelError('bad-option', `no bag model is called '${name}'; there are ${bagModelNames.join(', ')}`);
  return shape;
}

/** The entries of sparse inputs as a part of those of all ranks. */
function entriesOf({ rows, offsets }: CsrRows, part: BatchPart | undefined): RowPart | undefined {
  return part?.entries && { ...part.entries, count: offsets[rows]! };
}
