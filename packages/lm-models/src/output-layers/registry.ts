/**
 * All output layers, an entry each: how it is made, its options and rates, what a step costs, and what it can do. The
 * command, its estimates and refusals, and the table of docs/which-output-layer.md read this list.
 */
import type { Backend } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import type { OutputLayer } from '@vastmax/output-layer';
import { ModelError } from '../model-error.ts';
import { factoredEntry, hybridEntry } from './factored-layers.ts';
import type { OutputLayerChoice, OutputLayerName } from './output-layer-choice.ts';
import type { OutputLayerEntry, OutputLayerSizes, TrainingDefaults } from './output-layer-entry.ts';
import { negativeEntry, nceEntry, quadraticEntry, randomFourierEntry, sampledEntry } from './sampled-layers.ts';
import { adaptiveEntry, fullEntry, hierarchicalEntry, huffmanEntry } from './softmax-layers.ts';

/** The registry: one entry for each built-in output layer. */
export const outputLayers: readonly OutputLayerEntry[] = [
  factoredEntry,
  hybridEntry,
  fullEntry,
  hierarchicalEntry,
  huffmanEntry,
  adaptiveEntry,
  sampledEntry,
  nceEntry,
  negativeEntry,
  randomFourierEntry,
  quadraticEntry,
];

/** The names of the built-in output layers, in the order of the registry. */
export const outputLayerNames: readonly OutputLayerName[] = outputLayers.map(({ name }) => name);

/** @throws ModelError `bad-option` for a name that is none of {@link outputLayerNames}. */
export function outputLayerOf(name: string): OutputLayerEntry {
  const entry = outputLayers.find((each) => each.name === name);
  if (entry !== undefined) return entry;
  throw new ModelError('bad-option', `no output layer is called '${name}'; there are ${outputLayerNames.join(', ')}`);
}

/**
 * The layer of a choice. Those that normalise over all classes or over a sample start with their biases at the log of
 * the unigram probabilities. O(D·d²) for the factored layer, O(D·d) for the others, once.
 * @throws ModelError `bad-option` for an unknown kind, loss or proposal; OutputLayerError `bad-option` for a value that
 * does not fit.
 */
export async function createOutputLayer(
  backend: Backend,
  sizes: OutputLayerSizes,
  choice: OutputLayerChoice,
): Promise<OutputLayer> {
  return await outputLayerOf(choice.kind).create(backend, sizes, choice);
}

/**
 * The layer of a saved state, without a random start before. O(D·d), what reading the state takes.
 * @param choice as the layer was made.
 * @throws as createOutputLayer; StateError `state-mismatch`. Nothing is left behind.
 */
export async function loadOutputLayer(
  backend: Backend,
  sizes: OutputLayerSizes,
  choice: OutputLayerChoice,
  state: ModuleState,
): Promise<OutputLayer> {
  const layer = await createOutputLayer(backend, sizes, { ...choice, initialScale: 0 });
  try {
    await layer.restore(state);
    return layer;
  } catch (error) {
    layer[Symbol.dispose]();
    throw error;
  }
}

/**
 * @param name a loss of the factored layer, or another output layer.
 * @param rule update rule of the layer's own weights; plain SGD unless given.
 * @throws ModelError `bad-option` for an unknown name.
 */
export function trainingDefaults(name: string, rule = 'sgd'): TrainingDefaults {
  const { losses = {} } = factoredEntry;
  const loss = Object.hasOwn(losses, name) ? losses[name] : undefined;
  const found = loss ?? outputLayers.find((entry) => entry.losses === undefined && entry.name === name)?.training;
  if (found !== undefined) return { ...found, outputRate: found.outputRates?.[rule] ?? found.outputRate };
  throw new ModelError(
    'bad-option',
    `no loss or output layer is called '${name}'; there are the losses ${Object.keys(losses).join(', ')} ` +
      `and the layers ${outputLayerNames.filter((layer) => layer !== 'factored').join(', ')}`,
  );
}
