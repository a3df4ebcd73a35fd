/** The model of a checkpoint folder, for the commands that use a trained model. */
import type { Backend } from '@vastmax/linalg-core';
import { isModelError } from '@vastmax/lm-models';
import { savedModule } from '@vastmax/lm-models/distributed';
import {
  exampleSettingsFrom,
  loadTextModel,
  loadTextReading,
  type ExampleSettings,
  type TextModel,
  type TextReading,
} from '@vastmax/lm-models/text';
import { createSubwordTokenizer } from '@vastmax/text-readers';
import {
  isClassifier,
  isDenseClassifier,
  loadClassifier,
  loadDenseClassifier,
  type Classifier,
  type DenseClassifier,
} from '@vastmax/lm-models/labels';
import { loadRecommender, recommenderNameOf, type Recommender } from '@vastmax/lm-models/recommenders';
import { createBackend, precisionFrom, threadsOf, type BackendOptions } from '../options/backend-choice.ts';
import { UsageError } from '../terminal/errors.ts';
import { openCheckpoint, type Checkpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';

export interface OpenedModel {
  readonly model: TextModel;
  readonly text: TextReading;
}

export type AnyOpenedModel =
  | OpenedModel
  | { readonly classifier: Classifier }
  /** Of vectors. */
  | { readonly dense: DenseClassifier }
  | { readonly recommender: Recommender };

/** What is to be disposed, and has a network. */
export function ownerOf(opened: AnyOpenedModel): TextModel | Classifier | DenseClassifier | Recommender {
  if ('recommender' in opened) return opened.recommender;
  if ('dense' in opened) return opened.dense;
  return 'classifier' in opened ? opened.classifier : opened.model;
}

/** For a command that only models of texts and points have an answer for. @throws UsageError for another. */
export function withWordsOrPoints(
  opened: AnyOpenedModel,
  directory: string,
): OpenedModel | { readonly classifier: Classifier } {
  if (!('recommender' in opened) && !('dense' in opened)) return opened;
  ownerOf(opened)[Symbol.dispose]();
  throw new UsageError(
    'dense' in opened
      ? `${directory} holds a classifier of vectors; ask it with --features and a file of them`
      : `${directory} holds a recommender; ask it with vastmax recommend`,
  );
}

/**
 * The model of a folder, as {@link loadAnyModel}.
 * @throws CheckpointError when there is no checkpoint, or it is damaged.
 */
export async function openAnyModel(options: BackendOptions, directory: string): Promise<AnyOpenedModel> {
  await using checkpoint = await openCheckpoint(createFileStorage(directory));
  return await loadAnyModel(options, checkpoint);
}

/** A model over words, a classifier or a recommender, on a backend of the precision that it was trained in. */
export async function loadAnyModel(options: BackendOptions, checkpoint: Checkpoint): Promise<AnyOpenedModel> {
  const { configuration } = checkpoint;
  const createOwn = (): Promise<Backend> =>
    createBackend(options.backend, precisionFrom(configuration), threadsOf(options));
  if (isDenseClassifier(configuration)) return { dense: await loadDenseClassifier(await createOwn(), checkpoint) };
  if (isClassifier(configuration))
    return { classifier: await loadClassifier(await createOwn(), checkpoint, createSubwordTokenizer) };
  if (recommenderNameOf(configuration) !== undefined)
    return { recommender: await loadRecommender(await createOwn(), checkpoint) };
  const { text } = openText(checkpoint);
  const model = await loadTextModel(await createOwn(), {
    ...checkpoint,
    module: (name) => savedModule(checkpoint, name),
  });
  return { model, text };
}

/**
 * How the text of a checkpoint's model was read, and which examples the model was trained on.
 * @throws UsageError when the checkpoint was not written by `vastmax train`, SparseDataError for a damaged tokenizer.
 */
export function openText(checkpoint: Checkpoint): { readonly text: TextReading; readonly examples: ExampleSettings } {
  try {
    return {
      text: loadTextReading(checkpoint, createSubwordTokenizer),
      examples: exampleSettingsFrom(checkpoint.configuration),
    };
  } catch (error) {
    if (!isModelError(error)) throw error;
    throw new UsageError(`${error.message}; was it written by vastmax train?`, { cause: error });
  }
}
