/**
 * A recurrent network over parallel streams: embeddings, one or more LSTM or GRU layers, dropout between them (not
 * within the recurrence; Zaremba et al., arXiv:1409.2329), truncated back-propagation through time. The state is
 * carried from one minibatch to the next: one for training, which a checkpoint keeps, and one for evaluation, so that
 * evaluating in the middle of training disturbs nothing. Over a text it is a language model, over sessions a next-item
 * recommender (GRU4Rec, arXiv:1511.06939).
 */
import { concatRows, gatherRows, gatherTable, sliceRows, type Tape, type Variable } from '@vastmax/autodiff';
import { Workspace, type Backend } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import { RandomGenerator, type SequenceBatch } from '@vastmax/sparse-data';
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
import { CarriedState, forgetStarts } from '../layers/carried-state.ts';
import { createEmbeddings } from '../layers/embedding-table.ts';
import { cellNames, createCell, type CellName, type RecurrentCell } from '../layers/recurrent-cell.ts';
import { SeededDropout } from '../layers/seeded-dropout.ts';
import type { ModelParameters, TableParameter } from '../parameters.ts';
import type { Body } from './body.ts';

export interface RecurrentBodyOptions {
  /** Rows of the embedding table: how many different words or items there are. */
  readonly inputs: number;
  /** Width of an embedding. */
  readonly embedding: number;
  readonly cell: CellName;
  /** Width of each recurrent layer; the last is what the output layer sees. */
  readonly hidden: readonly number[];
  /**
   * Probability of dropping an activation, of the embeddings and of each layer's output, in training; 0 unless given.
   */
  readonly dropout?: number;
  /** Standard deviation of the embeddings' normal start; 0.1 unless given. */
  readonly embeddingScale?: number;
  readonly seed?: number;
}

/** What of a minibatch the network reads. */
export type SequenceInputs = Pick<SequenceBatch, 'steps' | 'streams' | 'inputs' | 'starts' | 'predicted'>;

export class RecurrentBody implements Body<SequenceInputs> {
  readonly backend: Backend;
  readonly options: Required<RecurrentBodyOptions>;
  readonly embeddings: TableParameter;
  readonly parameters: ModelParameters;
  readonly #cells: readonly RecurrentCell[];
  readonly #workspace: Workspace;
  readonly #dropout: SeededDropout;
  readonly #trained: CarriedState;
  readonly #evaluated: CarriedState;

  constructor(backend: Backend, options: RecurrentBodyOptions) {
    const settings = { dropout: 0, embeddingScale: 0.1, seed: 1, ...options } as const;
    checkOptions(settings);
    const { inputs, embedding, cell, hidden, embeddingScale, seed } = settings;
    this.backend = backend;
    this.options = settings;
    this.#workspace = new Workspace(backend);
    this.#dropout = new SeededDropout(settings.dropout, seed + 2);
    const random = new RandomGenerator(seed + 1);
    this.embeddings = createEmbeddings(backend, inputs, embedding, embeddingScale, random);
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
    this.#trained = new CarriedState(backend, widths);
    this.#evaluated = new CarriedState(backend, widths);
  }

  get features(): number {
    return this.options.hidden[this.options.hidden.length - 1]!;
  }

  get parameterCount(): number {
    return countParameters(this.parameters);
  }

  /**
   * m×features, a row for each predicted one of the T·B. It goes on from the state of the last minibatch, of training
   * or of evaluation, and leaves the new one behind.
   * @throws RangeError when streams go on that were not carried.
   */
  forward(tape: Tape, batch: SequenceInputs, options: { readonly training?: boolean } = {}): Variable {
    const { training = false } = options;
    const { steps, streams, inputs, starts, predicted } = batch;
    const carried = training ? this.#trained : this.#evaluated;
    const state = carried.constants(tape, streams, starts);
    const words = this.#workspace.indices('inputs', inputs, steps * streams);
    let x = this.#dropout.apply(gatherTable(this.embeddings.use(tape), words), training);
    const after: Variable[] = [];
    for (const cell of this.#cells) {
      const { outputs, last } = runLayer(tape, cell, x, batch, state.splice(0, cell.stateSize));
      after.push(...last);
      x = this.#dropout.apply(outputs, training);
    }
    carried.carry(after);
    return predicted === undefined ? x : gatherRows(x, this.#workspace.indices('predicted', predicted));
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

  /** @throws StateError `state-mismatch` when the state's model is another: sizes or cell. */
  async restore(state: ModuleState): Promise<void> {
    checkSameOptions('recurrent model', state, this.options, ['cell']);
    checkParameters(state, this.parameters);
    const { streams } = state.configuration;
    this.#trained.check(state, streams);
    // Everything that can be refused has been: from here on the weights change.
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
    const remembered = forgetStarts(tape, state, starts.subarray(step * streams, (step + 1) * streams));
    state = advance(sliceRows(projected, step * streams, streams), remembered);
    outputs.push(state[0]!);
  }
  return { outputs: concatRows(outputs), last: state };
}

function checkOptions(options: Required<RecurrentBodyOptions>): void {
  const model = 'recurrent model';
  checkSizes(model, [
    ['inputs', options.inputs],
    ['embedding', options.embedding],
    ...options.hidden.map((size, layer) => [`hidden layer ${layer + 1}`, size] as const),
  ]);
  if (options.hidden.length === 0)
    throw new RangeError(`${model}: hidden must name at least one layer width, got none`);
  checkName(model, 'cell', options.cell, cellNames);
  checkDropout(model, 'dropout', options.dropout);
  checkScale(model, 'embeddingScale', options.embeddingScale);
}
