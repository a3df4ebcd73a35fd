/**
 * Any body with any output layer: what is trained, evaluated and saved. A checkpoint of it needs nothing beside it to
 * be loaded.
 */
import { Tape, type Variable } from '@vastmax/autodiff';
import type { Backend, Matrix } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import type { OutputLayer } from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import { BagBody } from '../models/bag-body.ts';
import type { Body } from '../models/body.ts';
import type { BagChoice, BodyChoice, RecurrentChoice } from '../models/body-choice.ts';
import { RecurrentBody, type SequenceInputs } from '../models/recurrent-body.ts';
import { createOutputLayer, type OutputLayerFactory } from '../output-layers/create-output-layer.ts';
import type { OutputLayerChoice } from '../output-layers/output-layer-choice.ts';
import { outputFor, restored } from './model-parts.ts';
import { networkOptionsFrom, sizesFrom, sizesState, type NetworkSizes } from './network-state.ts';
import type { SavedModel } from './language-model.ts';
import type { TrainableModel } from './trainable-model.ts';

export interface NetworkOptions<Choice extends BodyChoice = BodyChoice> {
  readonly body: Choice;
  readonly output: OutputLayerChoice;
}

/** Over bags of inputs: classifier, autoencoder, word vectors, recommender by the last items. */
export type BagNetwork = Network<{ readonly inputs: CsrRows }, BagBody>;
/** Over streams: recurrent language model, recommender by the session. */
export type RecurrentNetwork = Network<SequenceInputs, RecurrentBody>;

export class Network<Batch, NetworkBody extends Body<Batch> = Body<Batch>>
  implements TrainableModel<Batch>, Disposable
{
  readonly backend: Backend;
  readonly options: NetworkOptions;
  readonly sizes: NetworkSizes;
  readonly body: NetworkBody;
  readonly output: OutputLayer;
  readonly #tape: Tape;

  /** For a body of your own; {@link createBagNetwork} and {@link createRecurrentNetwork} make both parts. */
  constructor(options: NetworkOptions, sizes: NetworkSizes, body: NetworkBody, output: OutputLayer) {
    this.backend = body.backend;
    this.options = options;
    this.sizes = sizes;
    this.body = body;
    this.output = output;
    this.#tape = new Tape(this.backend);
  }

  /** The activations that the output layer sees, m×features, on the tape. */
  forward(tape: Tape, batch: Batch, options: { readonly training?: boolean } = {}): Variable {
    return this.body.forward(tape, batch, options);
  }

  /** The same without training; valid until the next call. */
  computeBatchHidden(batch: Batch): Matrix {
    this.#tape.reset();
    return this.body.forward(this.#tape, batch).value;
  }

  /** The parts of a checkpoint. */
  modules(): Readonly<Record<string, ModuleState>> {
    return { body: this.body.state(), output: this.output.state(), sizes: sizesState(this.sizes) };
  }

  [Symbol.dispose](): void {
    this.#tape[Symbol.dispose]();
    this.body[Symbol.dispose]();
    this.output[Symbol.dispose]();
  }
}

/**
 * @param createOutput what makes the output layer of `options.output`.
 * @throws RangeError and OutputLayerError as the body and the output layer do for options that do not fit; nothing is
 * left behind.
 */
export function createBagNetwork(
  backend: Backend,
  sizes: NetworkSizes,
  options: NetworkOptions<BagChoice>,
  createOutput: OutputLayerFactory = createOutputLayer,
): Promise<BagNetwork> {
  return withOutput(options, sizes, new BagBody(backend, { ...options.body, inputs: sizes.inputs }), createOutput);
}

/**
 * @param createOutput what makes the output layer of `options.output`.
 * @throws RangeError and OutputLayerError as the body and the output layer do for options that do not fit; nothing is
 * left behind.
 */
export function createRecurrentNetwork(
  backend: Backend,
  sizes: NetworkSizes,
  options: NetworkOptions<RecurrentChoice>,
  createOutput: OutputLayerFactory = createOutputLayer,
): Promise<RecurrentNetwork> {
  return withOutput(
    options,
    sizes,
    new RecurrentBody(backend, { ...options.body, inputs: sizes.inputs }),
    createOutput,
  );
}

/**
 * The network of a checkpoint, with its weights.
 * @throws RangeError or StateError `state-mismatch` when it holds another one.
 */
export async function loadBagNetwork(backend: Backend, saved: SavedModel): Promise<BagNetwork> {
  const options = networkOptionsFrom(saved.configuration, 'bag');
  return await restored(await createBagNetwork(backend, await sizesFrom(saved.module('sizes')), options), saved);
}

/**
 * The network of a checkpoint, with its weights.
 * @throws RangeError or StateError `state-mismatch` when it holds another one.
 */
export async function loadRecurrentNetwork(backend: Backend, saved: SavedModel): Promise<RecurrentNetwork> {
  const options = networkOptionsFrom(saved.configuration, 'recurrent');
  return await restored(await createRecurrentNetwork(backend, await sizesFrom(saved.module('sizes')), options), saved);
}

async function withOutput<Batch, NetworkBody extends Body<Batch>>(
  options: NetworkOptions,
  sizes: NetworkSizes,
  body: NetworkBody,
  createOutput: OutputLayerFactory,
): Promise<Network<Batch, NetworkBody>> {
  return new Network(options, sizes, body, await outputFor(body, sizes.frequencies, options.output, createOutput));
}
