/** A text model out of a checkpoint. */
import { shown, type Checkpoint } from '@vastmax/checkpoints';
import type { Backend } from '@vastmax/linalg-core';
import type { JsonObject } from '@vastmax/linalg-core/state';
import { ModelError } from '../model-error.ts';
import { networkOptionsFrom } from '../network/network-options.ts';
import { checkSavedShapes } from '../network/saved-shapes.ts';
import { dequantizedModel } from '../quantization/quantized-module.ts';
import { createTextModel, textModelNames, type ExampleSettings, type TextModel } from './text-model.ts';
import { readVocabulary } from './text-reading.ts';

/** Steps or window that a checkpoint may ask for: an example takes memory for each. */
const maxContext = 4096;

/** An opened checkpoint, or one of a job of ranks whose modules have been put together. */
export type SavedTextModel = Pick<Checkpoint, 'configuration' | 'location' | 'module' | 'moduleNames' | 'text'>;

/**
 * The text model of a checkpoint, with its weights. What its configuration asks for is compared with the tensors and
 * the vocabulary before anything of that size is made.
 * @throws ModelError, StateError or CheckpointError when the checkpoint holds none, or parts that do not fit together.
 */
export async function loadTextModel(backend: Backend, saved: SavedTextModel): Promise<TextModel> {
  const options = networkOptionsFrom(saved.configuration);
  const examples = exampleSettingsFrom(saved.configuration);
  const vocabulary = readVocabulary(saved);
  const weights = dequantizedModel(saved);
  checkSavedShapes(weights, { inputs: vocabulary.size, frequencies: vocabulary.counts }, options);
  const model = await createTextModel(backend, vocabulary, examples, options);
  try {
    await model.network.restore(weights);
    return model;
  } catch (error) {
    model[Symbol.dispose]();
    throw error;
  }
}

/**
 * Of a checkpoint's configuration; models from before there were several kinds are n-gram models.
 * @throws ModelError `state-mismatch` for a kind of model that this version does not know.
 */
export function exampleSettingsFrom(configuration: JsonObject): ExampleSettings {
  const { exampleSettings: settings } = configuration;
  if (settings === undefined) return { model: 'ngram' };
  const { model, steps, window } = (settings ?? {}) as { readonly [Name in keyof ExampleSettings]?: unknown };
  const isSize = (value: unknown): value is number | undefined =>
    value === undefined ||
    (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= maxContext);
  const name = textModelNames.find((each) => each === model);
  if (name === undefined || !isSize(steps) || !isSize(window)) {
    throw new ModelError(
      'state-mismatch',
      `this checkpoint's model is ${shown(model)} with steps ${shown(steps)} and window ${shown(window)}; this version knows ${textModelNames.join(', ')} with steps and windows from 1 to ${maxContext}`,
    );
  }
  return { model: name, ...(steps === undefined ? {} : { steps }), ...(window === undefined ? {} : { window }) };
}
