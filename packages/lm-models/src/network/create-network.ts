/** Networks out of plain JSON: new ones, and those of checkpoints. */
import type { JsonObject } from '@vastmax/linalg-core/state';
import type { Backend } from '@vastmax/linalg-core';
import { BagBody, type BagBodyOptions, type BagInputs } from '../bodies/bag-body.ts';
import { NgramBody, type NgramBodyOptions, type NgramInputs } from '../bodies/ngram-body.ts';
import { RecurrentBody, type RecurrentBodyOptions, type SequenceInputs } from '../bodies/recurrent-body.ts';
import { ModelError } from '../model-error.ts';
import type { OutputLayerChoice, AnyOutputChoice } from '../output-layers/output-layer-choice.ts';
import { Network, type Body, type NetworkSizes, type SavedModel } from './network.ts';
import type { OutputLayerFactory } from '../output-layers/output-layer-entry.ts';
import { createOutputLayer } from '../output-layers/registry.ts';

/** Each kind of body: its options as plain JSON, what it reads of a minibatch, and its class. */
interface BodyKinds {
  readonly ngram: { readonly choice: NgramChoice; readonly batch: NgramInputs; readonly body: NgramBody };
  readonly bag: { readonly choice: BagChoice; readonly batch: BagInputs; readonly body: BagBody };
  readonly recurrent: {
    readonly choice: RecurrentChoice;
    readonly batch: SequenceInputs;
    readonly body: RecurrentBody;
  };
}
export type BodyKind = keyof BodyKinds;

export type NgramChoice = { readonly kind: 'ngram' } & Omit<NgramBodyOptions, 'words'>;
export type BagChoice = { readonly kind: 'bag' } & Omit<BagBodyOptions, 'inputs'>;
export type RecurrentChoice = { readonly kind: 'recurrent' } & Omit<RecurrentBodyOptions, 'inputs'>;
export type BodyChoice = BodyKinds[BodyKind]['choice'];

/** Over the last n words. */
export type NgramNetwork = Network<NgramInputs, NgramBody>;
/** Over bags of inputs: classifier, autoencoder, word vectors, recommender by the last items. */
export type BagNetwork = Network<BagInputs, BagBody>;
/** Over streams: recurrent language model, recommender by the session. */
export type RecurrentNetwork = Network<SequenceInputs, RecurrentBody>;
/** A network whose body is of one of the kinds. */
export type NetworkOf<Kind extends BodyKind, Output extends AnyOutputChoice = OutputLayerChoice> = {
  [Each in Kind]: Network<BodyKinds[Each]['batch'], BodyKinds[Each]['body'], Output>;
}[Kind];

export interface NetworkOptions<Kind extends BodyKind = BodyKind, Output extends AnyOutputChoice = OutputLayerChoice> {
  readonly body: BodyKinds[Kind]['choice'] & { readonly kind: Kind };
  readonly output: Output;
}

/**
 * A network with random weights.
 * @param createOutput what makes the output layer of `options.output`: one over several ranks, or the `create` of your
 * own entry.
 * @throws ModelError and OutputLayerError `bad-option` for options that do not fit; nothing is left behind.
 */
export function createNetwork<Kind extends BodyKind>(
  backend: Backend,
  sizes: NetworkSizes,
  options: NetworkOptions<Kind>,
  createOutput?: OutputLayerFactory,
): Promise<NetworkOf<Kind>>;
export function createNetwork<Kind extends BodyKind, Output extends AnyOutputChoice>(
  backend: Backend,
  sizes: NetworkSizes,
  options: NetworkOptions<Kind, Output>,
  createOutput: OutputLayerFactory<Output>,
): Promise<NetworkOf<Kind, Output>>;
export async function createNetwork(
  backend: Backend,
  sizes: NetworkSizes,
  options: NetworkOptions,
  createOutput: OutputLayerFactory = createOutputLayer,
): Promise<unknown> {
  const body: Body<never> = createBody(backend, sizes.inputs, options.body);
  try {
    const output = await createOutput(
      backend,
      { features: body.features, frequencies: sizes.frequencies },
      options.output,
    );
    return new Network(options, sizes, body, output);
  } catch (error) {
    body[Symbol.dispose]();
    throw error;
  }
}

function createBody(backend: Backend, inputs: number, choice: BodyChoice): NgramBody | BagBody | RecurrentBody {
  switch (choice.kind) {
    case 'ngram':
      return new NgramBody(backend, { ...choice, words: inputs });
    case 'bag':
      return new BagBody(backend, { ...choice, inputs });
    case 'recurrent':
      return new RecurrentBody(backend, { ...choice, inputs });
    default:
      throw new ModelError(
        'bad-option',
        `no body is called '${String((choice as { readonly kind: unknown }).kind)}'; there are ngram, bag, recurrent`,
      );
  }
}

export interface LoadOptions<Kind extends BodyKind> {
  /** The body that the network must have; any unless given. */
  readonly kind?: Kind;
  /** What makes the output layer; those of this package unless given. */
  readonly createOutput?: OutputLayerFactory;
}

/**
 * The network of a checkpoint, with its weights.
 * @throws ModelError or OutputLayerError `state-mismatch` when the checkpoint holds none, or another one.
 */
export async function loadNetwork<Kind extends BodyKind = BodyKind>(
  backend: Backend,
  saved: SavedModel,
  { kind, createOutput }: LoadOptions<Kind> = {},
): Promise<NetworkOf<Kind>> {
  const options = networkOptionsFrom(saved.configuration);
  if (kind !== undefined && options.body.kind !== kind) {
    throw new ModelError(
      'state-mismatch',
      `the checkpoint's network has the body '${options.body.kind}', '${kind}' was asked for`,
    );
  }
  const sizes = await sizesFrom(saved);
  const network: Network<never> = await createNetwork(backend, sizes, options, createOutput);
  try {
    await network.restore(saved);
    return network as NetworkOf<Kind>;
  } catch (error) {
    network[Symbol.dispose]();
    throw error;
  }
}

/**
 * The `model` of a checkpoint's configuration, as the trainer writes it.
 * @throws ModelError `state-mismatch` where it describes no network.
 */
export function networkOptionsFrom(configuration: JsonObject): NetworkOptions {
  const model = configuration['model'] as { readonly body?: unknown; readonly output?: unknown } | null | undefined;
  const body = model?.body;
  if (typeof body !== 'object' || body === null || typeof model?.output !== 'object' || model.output === null) {
    throw new ModelError(
      'state-mismatch',
      "the checkpoint's configuration describes no network: 'model.body' and 'model.output' are missing",
    );
  }
  // Values are checked one by one where they are used: by the body and by the output layer. The first checkpoints had
  // n-gram bodies only, and no kind.
  return { body: { kind: 'ngram', ...body }, output: model.output } as NetworkOptions;
}

/** @throws ModelError `state-mismatch`. */
async function sizesFrom(saved: SavedModel): Promise<NetworkSizes> {
  const { configuration, tensors } = saved.module('sizes');
  const { inputs } = configuration;
  const source = tensors.find(({ name }) => name === 'frequencies');
  if (typeof inputs !== 'number' || source?.columns !== 1) {
    throw new ModelError(
      'state-mismatch',
      `the checkpoint's sizes are ${String(inputs)} inputs and ${source === undefined ? 'no' : `${source.rows}×${source.columns}`} frequencies; a number and D×1 are needed`,
    );
  }
  // Before anything of that size is allocated.
  const embeddings = saved.module('body').tensors.find(({ name }) => name === 'embeddings');
  if (embeddings !== undefined && embeddings.rows !== inputs) {
    throw new ModelError(
      'state-mismatch',
      `the checkpoint's sizes are ${inputs} inputs, its embeddings have ${embeddings.rows} rows`,
    );
  }
  const frequencies = new Float64Array(source.rows);
  const rowsPerBlock = 65_536;
  for (let first = 0; first < source.rows; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, source.rows - first);
    frequencies.set((await source.read(first, count)).subarray(0, count), first);
  }
  return { inputs, frequencies };
}
