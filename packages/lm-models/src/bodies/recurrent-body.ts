/**
 * A recurrent network over parallel streams: embeddings, one or more LSTM or GRU layers, dropout between them (not
 * within the recurrence; Zaremba et al., arXiv:1409.2329), truncated back-propagation through time. The state is kept
 * from one minibatch to the next: one for training, which a checkpoint contains, and one for evaluation, so that
 * evaluation during training does not change training. Over a text it is a language model, over sessions a next-item
 * recommender (GRU4Rec, arXiv:1511.06939).
 */
import type { ModuleState } from '@vastmax/linalg-core/state';
import { concatRows, gatherRows, gatherTable, sliceRows, type Tape, type Variable } from '@vastmax/autodiff';
import { Workspace, type Backend } from '@vastmax/linalg-core';
import { RandomGenerator, type SequenceBatch } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';
import type { Body, PromptOptions } from '../network/network.ts';
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
  createEmbeddings,
  SeededDropout,
  type BatchPart,
  type BodyStart,
  type ModelParameters,
  type TableParameter,
} from './layers.ts';
import { RecurrentState, resetStarts } from './recurrent-state.ts';
import { cellNames, createCell, type CellName, type RecurrentCell } from './recurrent-cells.ts';

/** Sizes and regularisation of a recurrent body. */
export interface RecurrentBodyOptions {
  /** Rows of the embedding table: the number of different words or items. */
  readonly inputs: number;
  /** Width of an embedding. */
  readonly embedding: number;
  readonly cell: CellName;
  /** Width of each recurrent layer; the last one is the input of the output layer. */
  readonly hidden: readonly number[];
  /**
   * Probability of dropping an activation, of the embeddings and of each layer's output, in training; 0 unless given.
   */
  readonly dropout?: number;
  /** Standard deviation of the embeddings' normal start; 0.1 unless given. */
  readonly embeddingScale?: number;
  readonly seed?: number;
}

/** The part of a minibatch that the network reads. */
export type SequenceInputs = Pick<SequenceBatch, 'steps' | 'streams' | 'inputs' | 'starts' | 'predicted'> & {
  readonly part?: BatchPart;
};

/** An embedding and recurrent layers over sequences, trained over truncated histories. */
export class RecurrentBody implements Body<SequenceInputs> {
  readonly backend: Backend;
  readonly options: Required<RecurrentBodyOptions>;
  readonly embeddings: TableParameter;
  readonly parameters: ModelParameters;
  readonly #cells: readonly RecurrentCell[];
  readonly #workspace: Workspace;
  readonly #dropout: SeededDropout;
  readonly #trained: RecurrentState;
  readonly #evaluated: RecurrentState;

  constructor(backend: Backend, options: RecurrentBodyOptions, start: BodyStart = 'random') {
    const settings = { dropout: 0, embeddingScale: 0.1, seed: 1, ...options } as const;
    checkOptions(settings);
    const { inputs, embedding, cell, hidden, embeddingScale, seed } = settings;
    this.backend = backend;
    this.options = settings;
    this.#workspace = new Workspace(backend);
    this.#dropout = new SeededDropout(settings.dropout, seed + 2);
    const random = new RandomGenerator(seed + 1);
    this.embeddings = createEmbeddings(backend, inputs, embedding, embeddingScale, random, start);
    this.#cells = hidden.map((width, layer) =>
      createCell(cell, backend, {
        name: `layer.${layer}`,
        inputs: hidden[layer - 1] ?? embedding,
        hidden: width,
        inputScale: layer === 0 ? embeddingScale : 1,
        random,
      }),
    );
    this.parameters = { matrices: this.#cells.flatMap(({ parameters }) => parameters), tables: [this.embeddings] };
    const widths = this.#cells.flatMap(({ stateSize, hidden: width }) =>
      Array.from({ length: stateSize }, () => width),
    );
    this.#trained = new RecurrentState(backend, widths);
    this.#evaluated = new RecurrentState(backend, widths);
  }

  get features(): number {
    return this.options.hidden[this.options.hidden.length - 1]!;
  }

  get parameterCount(): number {
    return countParameters(this.parameters);
  }

  /**
   * The output, m×features, a row for each predicted position of the T·B. Starts from the state after the last
   * minibatch, of training or of evaluation, and stores the new one.
   * @throws ModelError `shape` when streams continue for which no state is stored.
   */
  forward(tape: Tape, batch: SequenceInputs, options: { readonly training?: boolean } = {}): Variable {
    const { training = false } = options;
    const { steps, streams, inputs, starts, predicted, part } = batch;
    // Step after step, each with all streams.
    const rows = part && { ...part, count: streams };
    const recurrentState = training ? this.#trained : this.#evaluated;
    const state = recurrentState.constants(tape, streams, starts);
    const words = this.#workspace.indices('inputs', inputs, steps * streams);
    let x = this.#dropout.apply(gatherTable(this.embeddings.use(tape), words), training, rows);
    const after: Variable[] = [];
    for (const cell of this.#cells) {
      const { outputs, last } = runLayer(tape, cell, x, batch, state.splice(0, cell.stateSize));
      after.push(...last);
      x = this.#dropout.apply(outputs, training, rows);
    }
    recurrentState.store(after);
    return predicted === undefined ? x : gatherRows(x, this.#workspace.indices('predicted', predicted));
  }

  /**
   * The activations after the last word of each prompt, starting from a zero state; prompts may differ in length.
   * `paddingId`, if given, is read before each. Of long prompts the last `maxWords` are read, 512 unless given.
   */
  forwardPrompts(tape: Tape, prompts: readonly ArrayLike<number>[], options: PromptOptions = {}): Variable {
    const { paddingId, maxWords = 512 } = options;
    const padding = paddingId === undefined ? [] : [paddingId];
    const read = prompts.map((prompt, row) => {
      if (prompt.length + padding.length === 0)
        throw new ModelError('bad-option', `recurrent model: prompt ${row} is empty; give a paddingId`);
      return [...padding, ...Array.from(prompt).slice(Math.max(0, prompt.length - maxWords))];
    });
    return this.forward(tape, promptInputs(read));
  }

  state(): ModuleState {
    return {
      configuration: {
        ...this.options,
        hidden: [...this.options.hidden],
        dropoutRandom: this.#dropout.state(),
        streams: this.#trained.streams,
      },
      tensors: [...parameterTensors(this.parameters), ...this.#trained.tensors()],
    };
  }

  /**
   * @throws ModelError or OutputLayerError `state-mismatch` when the state is of a model with other sizes or another
   * cell.
   */
  async restore(state: ModuleState): Promise<void> {
    checkSameOptions('recurrent model', state, this.options, ['cell']);
    checkParameters(state, this.parameters);
    const { streams } = state.configuration;
    this.#trained.check(state, streams);
    // All checks that can reject the state are done: from here on the weights change.
    await restoreParameters(state, this.parameters);
    await this.#trained.restore(state, Number(streams));
    this.#dropout.restore(state.configuration['dropoutRandom']);
  }

  [Symbol.dispose](): void {
    for (const owned of [this.#workspace, this.embeddings, this.#trained, this.#evaluated, ...this.parameters.matrices])
      owned[Symbol.dispose]();
  }
}

/** All steps of one layer: its outputs, T·B×h, and the state after the last step. */
function runLayer(
  tape: Tape,
  cell: RecurrentCell,
  x: Variable,
  { steps, streams, starts }: SequenceInputs,
  before: readonly Variable[],
): { readonly outputs: Variable; readonly last: readonly Variable[] } {
  const { projected, advance } = cell.begin(tape, x);
  const outputs: Variable[] = [];
  let state = before;
  for (let step = 0; step < steps; step++) {
    const remembered = resetStarts(tape, state, starts.subarray(step * streams, (step + 1) * streams));
    state = advance(sliceRows(projected, step * streams, streams), remembered);
    outputs.push(state[0]!);
  }
  return { outputs: concatRows(outputs), last: state };
}

/** Prompts as parallel streams, one each, aligned at the end; the state before a shorter prompt starts is reset. */
function promptInputs(prompts: readonly (readonly number[])[]): SequenceInputs {
  const streams = prompts.length;
  const steps = Math.max(0, ...prompts.map(({ length }) => length));
  const inputs = new Int32Array(steps * streams);
  const starts = new Uint8Array(steps * streams);
  for (const [stream, prompt] of prompts.entries()) {
    const first = steps - prompt.length;
    for (let step = 0; step <= first; step++) starts[step * streams + stream] = 1;
    for (let i = 0; i < prompt.length; i++) inputs[(first + i) * streams + stream] = prompt[i]!;
  }
  return {
    steps,
    streams,
    inputs,
    starts,
    predicted: Int32Array.from({ length: streams }, (_, stream) => (steps - 1) * streams + stream),
  };
}

function checkOptions(options: Required<RecurrentBodyOptions>): void {
  const model = 'recurrent model';
  checkSizes(model, [
    ['inputs', options.inputs],
    ['embedding', options.embedding],
    ...options.hidden.map((size, layer) => [`hidden layer ${layer + 1}`, size] as const),
  ]);
  if (options.hidden.length === 0)
    throw new ModelError('bad-option', `${model}: hidden must name at least one layer width, got none`);
  checkName(model, 'cell', options.cell, cellNames);
  checkDropout(model, 'dropout', options.dropout);
  checkScale(model, 'embeddingScale', options.embeddingScale);
}
