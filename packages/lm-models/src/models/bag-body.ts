/**
 * A bag of weighted inputs: the sum of their rows of a table, then any number of dense layers. It is the first layer of
 * an MLP over sparse features, the encoder of an autoencoder of sets, and, without activation, the mean of word or item
 * vectors (fastText, arXiv:1607.01759; CBOW and skip-gram, arXiv:1301.3781). Which of these it is depends on the
 * minibatches: bag-models.ts.
 */
import { add, sparseTimesTable, type Tape, type Variable } from '@vastmax/autodiff';
import type { Backend } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import { RandomGenerator, type CsrRows } from '@vastmax/sparse-data';
import { activationNames, activations, type ActivationName } from '../layers/activations.ts';
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
} from '../layers/body-checks.ts';
import { DenseLayers } from '../layers/dense-layers.ts';
import { createEmbeddings } from '../layers/embedding-table.ts';
import { SeededDropout } from '../layers/seeded-dropout.ts';
import { poolingNames, SparseInputs, type Pooling } from '../layers/sparse-inputs.ts';
import { Parameter, type ModelParameters, type TableParameter } from '../parameters.ts';
import type { Body } from './body.ts';

export interface BagBodyOptions {
  /** Rows of the table: how many different inputs there are, the columns of the sparse rows. */
  readonly inputs: number;
  /** Width of the table: of an embedding, or of the first hidden layer. */
  readonly embedding: number;
  /** How the inputs of an example are weighed; `mean` unless given. */
  readonly pooling?: Pooling;
  /** After the bag, together with a bias; `identity` (unless given) has neither: the bag itself is the vector. */
  readonly activation?: ActivationName | 'identity';
  /**
   * Width of each dense layer after that; none unless given. Their activation is the bag's, or tanh where that is the
   * identity.
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

export class BagBody implements Body<{ readonly inputs: CsrRows }> {
  readonly backend: Backend;
  readonly options: Required<BagBodyOptions>;
  readonly embeddings: TableParameter;
  readonly parameters: ModelParameters;
  readonly #bias: Parameter | undefined;
  readonly #layers: DenseLayers;
  readonly #inputs: SparseInputs;
  readonly #dropout: SeededDropout;

  constructor(backend: Backend, options: BagBodyOptions) {
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
    this.embeddings = createEmbeddings(backend, inputs, embedding, embeddingScale, random);
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

  /** m×features. 2·(entries)·(embedding), and 2m for each number of the dense layers, whatever the number of inputs. */
  forward(
    tape: Tape,
    { inputs }: { readonly inputs: CsrRows },
    options: { readonly training?: boolean } = {},
  ): Variable {
    const { training = false } = options;
    const { pooling, activation, inputDropout } = this.options;
    const drops = training && inputDropout > 0;
    const entries = this.#inputs.entries(inputs, {
      pooling,
      ...(drops ? { dropout: { rate: inputDropout, random: () => this.#dropout.uniform() } } : {}),
    });
    let x = sparseTimesTable(entries, this.embeddings.use(tape));
    if (this.#bias !== undefined && activation !== 'identity')
      x = activations[activation](add(x, this.#bias.use(tape)));
    return this.#layers.forward(tape, this.#dropout.apply(x, training), this.#dropout, training);
  }

  state(): ModuleState {
    return {
      configuration: { ...this.options, hidden: [...this.options.hidden], dropoutRandom: this.#dropout.state() },
      tensors: parameterTensors(this.parameters),
    };
  }

  /** @throws StateError `state-mismatch` when the state's model is another: sizes, pooling or activation. */
  async restore(state: ModuleState): Promise<void> {
    checkSameOptions('bag model', state, this.options, ['pooling', 'activation']);
    checkParameters(state, this.parameters);
    // Everything that can be refused has been: from here on the weights change.
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
