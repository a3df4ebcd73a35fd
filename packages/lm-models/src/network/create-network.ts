/** Networks out of plain JSON: new ones, and those of checkpoints. */
import type { Backend } from '@vastmax/linalg-core';
import type { BodyStart } from '../bodies/layers.ts';
import { BagBody } from '../bodies/bag-body.ts';
import { DenseBody } from '../bodies/dense-body.ts';
import { FoldInBody } from '../bodies/fold-in-body.ts';
import { NgramBody } from '../bodies/ngram-body.ts';
import { RecurrentBody } from '../bodies/recurrent-body.ts';
import { TransformerBody } from '../bodies/transformer-body.ts';
import { ModelError } from '../model-error.ts';
import type { AnyOutputChoice } from '../output-layers/output-layer-choice.ts';
import {
  networkOptionsFrom,
  unknownBody,
  type BodyChoice,
  type BodyKind,
  type NetworkOf,
  type NetworkOptions,
} from './network-options.ts';
import { Network, type Body, type NetworkSizes, type SavedModel } from './network.ts';
import { checkSavedShapes } from './saved-shapes.ts';
import { dequantizedModel } from '../quantization/quantized-module.ts';
import type { OutputLayerFactory } from '../output-layers/output-layer-entry.ts';
import { createOutputLayer, outputLayerOf } from '../output-layers/registry.ts';

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
  return assembleNetwork(backend, sizes, options, createOutput, 'random');
}

async function assembleNetwork(
  backend: Backend,
  sizes: NetworkSizes,
  options: NetworkOptions,
  createOutput: OutputLayerFactory,
  start: BodyStart,
): Promise<Network<never>> {
  const body: Body<never> = createBody(backend, sizes.inputs, options.body, start);
  try {
    // Zeros cost no time: what a checkpoint replaces is not drawn first.
    const choice = start === 'zeros' ? { ...options.output, initialScale: 0 } : options.output;
    const output = await createOutput(backend, { features: body.features, frequencies: sizes.frequencies }, choice);
    return new Network(options, sizes, body, output);
  } catch (error) {
    body[Symbol.dispose]();
    throw error;
  }
}

function createBody(
  backend: Backend,
  inputs: number,
  choice: BodyChoice,
  start: BodyStart,
): NgramBody | BagBody | DenseBody | RecurrentBody | TransformerBody | FoldInBody {
  switch (choice.kind) {
    case 'ngram':
      return new NgramBody(backend, { ...choice, words: inputs }, start);
    case 'bag':
      return new BagBody(backend, { ...choice, inputs }, start);
    case 'dense':
      return new DenseBody(backend, { ...choice, inputs });
    case 'recurrent':
      return new RecurrentBody(backend, { ...choice, inputs }, start);
    case 'transformer':
      return new TransformerBody(backend, { ...choice, inputs }, start);
    case 'fold-in':
      return new FoldInBody(backend, { ...choice, inputs });
    default:
      throw unknownBody(choice);
  }
}

/** Which body a saved network must have, and how an output layer is made that is not one of the built-in ones. */
export interface LoadOptions<Kind extends BodyKind> {
  /** The body that the network must have; any unless given. */
  readonly kind?: Kind;
  /** What makes the output layer; those of this package unless given. */
  readonly createOutput?: OutputLayerFactory;
}

/**
 * The network of a checkpoint, with its weights, and without a random start before.
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
  if (createOutput === undefined) outputLayerOf(options.output.kind);
  const sizes = await sizesFrom(saved);
  const weights = dequantizedModel(saved);
  checkSavedShapes(weights, sizes, options);
  const network = await assembleNetwork(backend, sizes, options, createOutput ?? createOutputLayer, 'zeros');
  try {
    await network.restore(weights);
    return network as NetworkOf<Kind>;
  } catch (error) {
    network[Symbol.dispose]();
    throw error;
  }
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
  const frequencies = new Float64Array(source.rows);
  const rowsPerBlock = 65_536;
  for (let first = 0; first < source.rows; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, source.rows - first);
    frequencies.set((await source.read(first, count)).subarray(0, count), first);
  }
  const wrong = frequencies.findIndex((frequency) => !(frequency >= 0 && frequency < Infinity));
  if (wrong !== -1) {
    throw new ModelError(
      'state-mismatch',
      `the checkpoint's frequency of class ${wrong} is ${frequencies[wrong]}; a finite number of at least 0 is needed`,
    );
  }
  return { inputs, frequencies };
}
