/**
 * A decoder of the transformer kind (arXiv:1706.03762) in its pre-norm form (arXiv:2002.04745): embeddings, layers of
 * causal attention and of a feed-forward network, each added to its normalised input, and a norm at the end. Over a text
 * it is a language model, over the items of a user a recommender of the next one (SASRec, arXiv:1808.09781). It keeps
 * no state: a sequence begins anew with each minibatch, and sees what the minibatch has of it.
 */
import { add, attention, gatherRows, gatherTable, PackedSequences, type Tape, type Variable } from '@vastmax/autodiff';
import { Workspace, type Backend, type Indices } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import { RandomGenerator } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';
import type { Body, BodyReader, PromptOptions } from '../network/network.ts';
import {
  checkDropout,
  checkName,
  checkParameters,
  checkSameOptions,
  checkScale,
  checkSizes,
  countParameters,
  createEmbeddings,
  createUniform,
  Parameter,
  parameterTensors,
  restoreParameters,
  SeededDropout,
  type RowPart,
  type BodyStart,
  type ModelParameters,
  type TableParameter,
} from './layers.ts';
import type { SequenceInputs } from './recurrent-body.ts';
import {
  feedForwardNames,
  Norm,
  normNames,
  positionNames,
  Rotation,
  TransformerLayer,
  type TransformerBodyOptions,
} from './transformer-layers.ts';
import { TransformerReader, type Attend } from './transformer-reader.ts';

const model = 'transformer model';

/** Layers of causal attention and feed-forward networks over sequences; see the head of this file for the architecture. */
export class TransformerBody implements Body<SequenceInputs> {
  readonly backend: Backend;
  readonly options: Required<TransformerBodyOptions>;
  readonly embeddings: TableParameter;
  readonly parameters: ModelParameters;
  readonly #positions: Parameter | undefined;
  readonly #rotation: Rotation | undefined;
  readonly #layers: readonly TransformerLayer[];
  readonly #norm: Norm;
  readonly #workspace: Workspace;
  readonly #sequences: PackedSequences;
  readonly #dropout: SeededDropout;
  #numbers = new Int32Array(0);
  readonly #lengths: number[] = [];

  /** @throws ModelError `bad-option`. */
  constructor(backend: Backend, options: TransformerBodyOptions, start: BodyStart = 'random') {
    const settings = {
      feedForward: 4 * options.embedding,
      activation: 'gelu',
      positions: 'rotary',
      norm: 'layer',
      dropout: 0,
      embeddingScale: 0.1,
      seed: 1,
      ...options,
    } as const;
    checkOptions(settings);
    const { inputs, embedding, layers, heads, context, positions, embeddingScale, seed } = settings;
    this.backend = backend;
    this.options = settings;
    this.#workspace = new Workspace(backend);
    this.#sequences = new PackedSequences(backend, heads);
    this.#dropout = new SeededDropout(settings.dropout, seed + 2);
    const random = new RandomGenerator(seed + 1);
    this.embeddings = createEmbeddings(backend, inputs, embedding, embeddingScale, random, start);
    if (positions === 'rotary') this.#rotation = new Rotation(backend, context, embedding, heads);
    else {
      const bound = embeddingScale * Math.sqrt(3);
      this.#positions = new Parameter('positions', createUniform(backend, context, embedding, bound, random));
    }
    this.#layers = Array.from(
      { length: layers },
      (_, layer) => new TransformerLayer(backend, `layer.${layer}`, settings, random),
    );
    // Activations as large as those of the other bodies, with which the default rates of the output layers were found.
    this.#norm = new Norm(backend, 'norm', settings, 0.5);
    this.parameters = {
      matrices: [
        ...(this.#positions === undefined ? [] : [this.#positions]),
        ...this.#layers.flatMap(({ parameters }) => parameters),
        ...this.#norm.parameters,
      ],
      tables: [this.embeddings],
    };
  }

  get features(): number {
    return this.options.embedding;
  }

  get parameterCount(): number {
    return countParameters(this.parameters);
  }

  /**
   * The output, m×features, a row for each predicted position of the T·B. 2 operations for each position and weight, and
   * those of {@link attention}.
   * @throws ModelError `shape` for a sequence of more positions than `context`.
   */
  forward(tape: Tape, batch: SequenceInputs, options: { readonly training?: boolean } = {}): Variable {
    const { steps, streams, inputs, starts, predicted, part } = batch;
    const rows = steps * streams;
    const own = part && { first: part.first * steps, count: rows, total: part.total * steps };
    // Sequence after sequence, where the minibatch has step after step.
    const numbers = this.#numbersOf(rows);
    this.#lengths.length = 0;
    for (let stream = 0, row = 0; stream < streams; stream++) {
      for (let step = 0; step < steps; step++, row++) {
        const at = step * streams + stream;
        numbers[row] = inputs[at]!;
        if (step === 0 || starts[at] === 1) this.#lengths.push(0);
        this.#lengths[this.#lengths.length - 1]!++;
      }
    }
    const words = this.#workspace.indices('inputs', numbers, rows);
    const count = predicted?.length ?? rows;
    for (let i = 0; i < count; i++) {
      const at = predicted === undefined ? i : predicted[i]!;
      numbers[i] = (at % streams) * steps + Math.floor(at / streams);
    }
    const outputs = this.#workspace.indices('outputs', numbers, count);
    return this.#run(tape, words, outputs, options.training ?? false, own);
  }

  /**
   * The activations after the last word of each prompt; prompts may differ in length. `paddingId`, if given, is read
   * before each. Of long prompts the last `maxWords` are read, as many as `context` has unless given.
   */
  forwardPrompts(tape: Tape, prompts: readonly ArrayLike<number>[], options: PromptOptions = {}): Variable {
    const { paddingId } = options;
    const maxWords = Math.min(options.maxWords ?? Infinity, this.options.context - (paddingId === undefined ? 0 : 1));
    this.#lengths.length = 0;
    const words: number[] = [];
    const ends: number[] = [];
    for (const [row, prompt] of prompts.entries()) {
      const first = words.length;
      if (paddingId !== undefined) words.push(paddingId);
      for (let i = Math.max(0, prompt.length - maxWords); i < prompt.length; i++) words.push(prompt[i]!);
      if (words.length === first)
        throw new ModelError('bad-option', `${model}: prompt ${row} is empty; give a paddingId`);
      this.#lengths.push(words.length - first);
      ends.push(words.length - 1);
    }
    return this.#run(
      tape,
      this.#workspace.indices('inputs', Int32Array.from(words)),
      this.#workspace.indices('outputs', Int32Array.from(ends)),
      false,
    );
  }

  /** See {@link BodyReader}. A word costs 2 operations for each weight, and 4·d a layer for each position before it. */
  createReader(): BodyReader {
    return new TransformerReader(this.backend, this.options, (tape, words, positions, attendOf) => {
      const x = this.#runLayers(tape, words, positions, attendOf, (value) => value);
      return (rows) => this.#norm.apply(tape, gatherRows(x, rows));
    });
  }

  state(): ModuleState {
    return {
      configuration: { ...this.options, dropoutRandom: this.#dropout.state() },
      tensors: parameterTensors(this.parameters),
    };
  }

  /** @throws ModelError or OutputLayerError `state-mismatch` when the state is of a model with other sizes or parts. */
  async restore(state: ModuleState): Promise<void> {
    checkSameOptions(model, state, this.options, ['heads', 'activation', 'positions', 'norm']);
    checkParameters(state, this.parameters);
    await restoreParameters(state, this.parameters);
    this.#dropout.restore(state.configuration['dropoutRandom']);
  }

  [Symbol.dispose](): void {
    for (const owned of [this.#workspace, this.#sequences, this.embeddings, ...this.parameters.matrices])
      owned[Symbol.dispose]();
    this.#rotation?.[Symbol.dispose]();
  }

  /** @param words of all positions of the sequences, `outputs` the positions that are wanted. */
  #run(tape: Tape, words: Indices, outputs: Indices, training: boolean, own?: RowPart): Variable {
    const { context } = this.options;
    const longest = this.#lengths.reduce((most, length) => Math.max(most, length), 0);
    if (longest > context) {
      throw new ModelError(
        'shape',
        `${model}: a sequence of the minibatch has ${longest} positions, the model was made for at most ${context}; take shorter ones, or a model of a larger context`,
      );
    }
    this.#sequences.arrange(this.#lengths);
    const { positions } = this.#sequences;
    const attend: Attend = (query, key, value) => attention(query, key, value, this.#sequences);
    const x = this.#runLayers(
      tape,
      words,
      positions,
      () => attend,
      (value) => this.#dropout.apply(value, training, own),
    );
    return this.#norm.apply(tape, gatherRows(x, outputs));
  }

  /** @param drop dropout, of the embeddings and of what each half of a layer adds. */
  #runLayers(
    tape: Tape,
    words: Indices,
    positions: Indices,
    attendOf: (layer: number) => Attend,
    drop: (value: Variable) => Variable,
  ): Variable {
    let x = gatherTable(this.embeddings.use(tape), words);
    if (this.#positions !== undefined) x = add(x, gatherRows(this.#positions.use(tape), positions));
    x = drop(x);
    const turn = this.#rotation?.at(tape, positions);
    for (const [index, layer] of this.#layers.entries()) {
      x = add(x, drop(layer.attend(tape, x, attendOf(index), turn)));
      x = add(x, drop(layer.feedForward(tape, x)));
    }
    return x;
  }

  #numbersOf(count: number): Int32Array {
    if (this.#numbers.length < count) this.#numbers = new Int32Array(Math.ceil(count * 1.5));
    return this.#numbers;
  }
}

function checkOptions(options: Required<TransformerBodyOptions>): void {
  const { inputs, embedding, layers, heads, context, feedForward, positions } = options;
  checkSizes(model, [
    ['inputs', inputs],
    ['embedding', embedding],
    ['layers', layers],
    ['heads', heads],
    ['context', context],
    ['feedForward', feedForward],
  ]);
  checkName(model, 'feed-forward network', options.activation, feedForwardNames);
  checkName(model, 'kind of positions', positions, positionNames);
  checkName(model, 'norm', options.norm, normNames);
  checkDropout(model, 'dropout', options.dropout);
  checkScale(model, 'embeddingScale', options.embeddingScale);
  const multiple = positions === 'rotary' ? 2 * heads : heads;
  if (embedding % multiple !== 0) {
    throw new ModelError(
      'bad-option',
      `${model}: embedding is ${embedding}, with ${heads} heads${positions === 'rotary' ? ' and rotary positions' : ''}; it must be a multiple of ${multiple}`,
    );
  }
}
