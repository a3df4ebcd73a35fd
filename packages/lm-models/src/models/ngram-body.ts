/**
 * The body of a neural n-gram language model (Y. Bengio et al., JMLR 2003): the embeddings of the n previous words side by side, then one or
 * more dense layers. What comes out, m×d, is what an output layer scores the classes with.
 */
import { add, dropout, gatherTable, gelu, matmul, relu, reshape, sigmoid, tanh, type Tape, type Variable } from '@vastmax/autodiff';
import { Workspace, writeRows, write, type Backend } from '@vastmax/linalg-core';
import { RandomGenerator } from '@vastmax/sparse-data';
import { findTensor, matrixTensor, OutputLayerError, restoreMatrix, restoreTable, tableTensor, type ModuleState } from '@vastmax/output-layer';
import { Parameter, TableParameter, type ModelParameters } from '../parameters.ts';

export const activationNames = ['tanh', 'relu', 'gelu', 'sigmoid'] as const;
export type ActivationName = (typeof activationNames)[number];

const activations: Readonly<Record<ActivationName, (x: Variable) => Variable>> = { tanh, relu, gelu, sigmoid };

export interface NgramBodyOptions {
  /** Rows of the embedding table: the vocabulary's size. */
  readonly words: number;
  /** n, how many previous words are seen. */
  readonly order: number;
  /** Width of an embedding. */
  readonly embedding: number;
  /** Width of each dense layer; the last is what the output layer sees. */
  readonly hidden: readonly number[];
  readonly activation?: ActivationName;
  /** Probability of dropping an activation in training; 0 unless given. */
  readonly dropout?: number;
  /** Standard deviation of the embeddings' normal start; 0.1 unless given. */
  readonly embeddingScale?: number;
  readonly seed?: number;
}

export class NgramBody implements Disposable {
  readonly backend: Backend;
  readonly options: Required<NgramBodyOptions>;
  readonly embeddings: TableParameter;
  readonly parameters: ModelParameters;
  readonly #layers: readonly { readonly weights: Parameter; readonly bias: Parameter }[];
  readonly #workspace: Workspace;
  readonly #dropoutRandom: RandomGenerator;
  readonly #uniform: () => number;

  constructor(backend: Backend, options: NgramBodyOptions) {
    const settings = { activation: 'tanh', dropout: 0, embeddingScale: 0.1, seed: 1, ...options } as const;
    checkOptions(settings);
    const { words, order, embedding, hidden, embeddingScale, seed } = settings;
    this.backend = backend;
    this.options = settings;
    this.#workspace = new Workspace(backend);
    this.#dropoutRandom = new RandomGenerator(seed + 2);
    this.#uniform = () => this.#dropoutRandom.uniform();
    const random = new RandomGenerator(seed + 1);
    this.embeddings = new TableParameter('embeddings', backend.createTable(words, embedding));
    const row = new Float64Array(embedding);
    for (let word = 0; word < words; word++) {
      for (let i = 0; i < embedding; i++) row[i] = embeddingScale * random.normal();
      writeRows(row, word, this.embeddings.table);
    }
    let width = order * embedding;
    let inputScale = embeddingScale;
    this.#layers = hidden.map((size, layer) => {
      const weights = backend.createMatrix(width, size);
      // Uniform with variance 1/(width·inputScale²), so that what enters the first activation has variance 1.
      const bound = Math.sqrt(3 / width) / inputScale;
      write(Float64Array.from({ length: width * size }, () => bound * (2 * random.uniform() - 1)), weights);
      width = size;
      inputScale = 1;
      return {
        weights: new Parameter(`hidden.${layer}.weights`, weights),
        bias: new Parameter(`hidden.${layer}.bias`, backend.createMatrix(1, size)),
      };
    });
    this.parameters = {
      matrices: this.#layers.flatMap(({ weights, bias }) => [weights, bias]),
      tables: [this.embeddings],
    };
  }

  /** Width of what `forward` returns. */
  get features(): number {
    return this.options.hidden[this.options.hidden.length - 1] ?? this.options.order * this.options.embedding;
  }

  /** How many numbers training changes in the body. */
  get parameterCount(): number {
    return this.parameters.matrices.reduce(
      (sum, { value }) => sum + value.rows * value.columns,
      this.embeddings.table.rows * this.embeddings.table.columns,
    );
  }

  /**
   * m×features, on the tape.
   * @param contexts m·n word numbers, an example after the other, the word before the target last.
   */
  forward(tape: Tape, contexts: Int32Array, examples: number, options: { readonly training?: boolean } = {}): Variable {
    const { order, embedding, activation, dropout: rate } = this.options;
    const indices = this.#workspace.indices('contexts', contexts, examples * order);
    let x = reshape(gatherTable(this.embeddings.use(tape), indices), examples, order * embedding);
    for (const { weights, bias } of this.#layers) {
      x = activations[activation](add(matmul(x, weights.use(tape)), bias.use(tape)));
      x = dropout(x, { rate, random: this.#uniform, training: options.training ?? false });
    }
    return x;
  }

  state(): ModuleState {
    return {
      configuration: { ...this.options, hidden: [...this.options.hidden], dropoutRandom: { ...this.#dropoutRandom.state() } },
      tensors: [
        tableTensor(this.embeddings.name, this.embeddings.table),
        ...this.parameters.matrices.map(({ name, value }) => matrixTensor(name, value)),
      ],
    };
  }

  /** @throws OutputLayerError `state-mismatch` when the state's model is another: sizes, order or activation. */
  async restore(state: ModuleState): Promise<void> {
    // Two activations have the same tensors, and so have two orders with embeddings of other widths.
    for (const option of ['order', 'activation'] as const) {
      if (state.configuration[option] === this.options[option]) continue;
      throw new OutputLayerError(
        'state-mismatch',
        `n-gram model: '${option}' is ${String(state.configuration[option])} in the checkpoint, ${this.options[option]} in the model`,
      );
    }
    const { embeddings } = this;
    findTensor(state, embeddings.name, embeddings.table.rows, embeddings.table.columns);
    for (const { name, value } of this.parameters.matrices) findTensor(state, name, value.rows, value.columns);
    // Everything that can be refused has been: from here on the weights change.
    await restoreTable(state, embeddings.name, embeddings.table);
    for (const { name, value } of this.parameters.matrices) await restoreMatrix(state, name, value);
    this.#dropoutRandom.restore(state.configuration['dropoutRandom']);
  }

  [Symbol.dispose](): void {
    this.#workspace[Symbol.dispose]();
    this.embeddings[Symbol.dispose]();
    for (const parameter of this.parameters.matrices) parameter[Symbol.dispose]();
  }
}

function checkOptions(options: Required<NgramBodyOptions>): void {
  const sizes: readonly (readonly [string, number])[] = [
    ['words', options.words],
    ['order', options.order],
    ['embedding', options.embedding],
    ...options.hidden.map((size, layer) => [`hidden layer ${layer + 1}`, size] as const),
  ];
  for (const [name, value] of sizes) {
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`n-gram model: ${name} must be a whole number of at least 1, got ${value}`);
  }
  if (options.hidden.length === 0) throw new RangeError('n-gram model: hidden must name at least one layer width, got none');
  if (!activationNames.includes(options.activation)) {
    throw new RangeError(`n-gram model: no activation is called '${options.activation}'; there are ${activationNames.join(', ')}`);
  }
  if (!(options.dropout >= 0 && options.dropout < 1)) {
    throw new RangeError(`n-gram model: dropout must be at least 0 and less than 1, got ${options.dropout}`);
  }
  // The first layer's start divides by it.
  if (!(options.embeddingScale > 0) || !Number.isFinite(options.embeddingScale)) {
    throw new RangeError(`n-gram model: embeddingScale must be a finite number above 0, got ${options.embeddingScale}`);
  }
}
