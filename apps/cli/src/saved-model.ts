/** A checkpoint folder and its parts, as `evaluate`, `predict`, `neighbors` and `train` want them. */
import type { Communicator } from '@vastmax/collectives';
import { savedModule } from '@vastmax/lm-models/distributed';
import type { Precision } from '@vastmax/linalg-core';
import { modelOptionsFrom, type TrainingSnapshot, readVocabulary } from '@vastmax/lm-models';
import type { Vocabulary } from '@vastmax/sparse-data';
import { createBackend } from './backend-choice.ts';
import { saveTogether } from './distributed/save-together.ts';
import { isLabelModel, loadLabelModel, type LabelModel } from './labels/label-model.ts';
import { exampleSettingsFrom, type TextModel } from './text-model.ts';
import { createTextModel } from './text-models.ts';
import { textReadingFrom, type TextReading } from './text-reading.ts';
import { UsageError } from './usage-error.ts';
import type { JsonObject } from '@vastmax/linalg-core/state';
import { openCheckpoint, writeCheckpoint, type CheckpointContent } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';

export interface OpenedModel {
  readonly model: TextModel;
  readonly text: TextReading;
}

/**
 * On a backend of the precision that it was trained in.
 * @throws CheckpointError when there is none, or it is damaged; UsageError for a classifier.
 */
export async function openModel(backend: string, directory: string): Promise<OpenedModel> {
  const opened = await openAnyModel(backend, directory);
  if (!('labels' in opened)) return opened;
  opened.labels[Symbol.dispose]();
  throw new UsageError(
    `${directory} holds a classifier of points, which has no words; it can be evaluated, inspected, and asked with predict --input`,
  );
}

/** The same for a classifier too. */
export async function openAnyModel(
  backend: string,
  directory: string,
): Promise<OpenedModel | { readonly labels: LabelModel }> {
  await using checkpoint = await openCheckpoint(createFileStorage(directory));
  if (isLabelModel(checkpoint.configuration))
    return {
      labels: await loadLabelModel(await createBackend(backend, precisionFrom(checkpoint.configuration)), checkpoint),
    };
  const text = textReadingFrom(checkpoint);
  const vocabulary = readVocabulary(checkpoint);
  const { configuration } = checkpoint;
  const model = await createTextModel(
    await createBackend(backend, precisionFrom(configuration)),
    vocabulary,
    exampleSettingsFrom(configuration),
    modelOptionsFrom(configuration),
  );
  try {
    await model.restore({ configuration, module: (name) => savedModule(checkpoint, name) });
    return { model, text };
  } catch (error) {
    model[Symbol.dispose]();
    throw error;
  }
}

/** @throws UsageError when a checkpoint was not written by `vastmax train`. */
export function precisionFrom({ precision }: JsonObject): Precision {
  if (precision === 'f32' || precision === 'f64') return precision;
  throw new UsageError(
    `this checkpoint's precision is ${JSON.stringify(precision)}, expected f32 or f64; was it written by vastmax train?`,
  );
}

/** What a command keeps in a checkpoint beside the trainer's own. */
export interface SavedExtras {
  /** In its configuration: how text was read, the precision. */
  readonly configuration: JsonObject;
  /** Of a model over words. */
  readonly vocabulary?: Vocabulary;
  readonly texts: Readonly<Record<string, string>>;
}

/** @param communicator where ranks save together. */
export async function saveModel(
  directory: string,
  snapshot: TrainingSnapshot,
  { configuration, vocabulary, texts }: SavedExtras,
  communicator?: Communicator,
): Promise<void> {
  const content: CheckpointContent = {
    configuration: { ...snapshot.configuration, ...configuration },
    modules: snapshot.modules,
    texts: { ...texts, ...(vocabulary === undefined ? {} : { 'vocabulary.json': JSON.stringify(vocabulary) }) },
  };
  await (communicator === undefined
    ? writeCheckpoint(createFileStorage(directory), content)
    : saveTogether(communicator, directory, content));
}
