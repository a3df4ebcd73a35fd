/** A checkpoint folder and its parts, as `evaluate`, `predict`, `neighbors` and `train` want them. */
import type { Precision } from '@vastmax/linalg-core';
import { modelOptionsFrom, type TrainingSnapshot } from '@vastmax/lm-models';
import { openCheckpoint, readVocabulary, writeCheckpoint } from '@vastmax/lm-models/node';
import type { JsonObject } from '@vastmax/output-layer';
import type { Vocabulary } from '@vastmax/sparse-data';
import { createBackend } from './backend-choice.ts';
import { exampleSettingsFrom, type TextModel } from './text-model.ts';
import { createTextModel } from './text-models.ts';
import { textReadingFrom, type TextReading } from './text-reading.ts';
import { UsageError } from './usage-error.ts';

export interface OpenedModel {
  readonly model: TextModel;
  readonly text: TextReading;
}

/** On a backend of the precision that it was trained in. @throws CheckpointError when there is none, or it is damaged. */
export async function openModel(backend: string, directory: string): Promise<OpenedModel> {
  await using checkpoint = await openCheckpoint(directory);
  const text = textReadingFrom(checkpoint);
  const vocabulary = readVocabulary(checkpoint);
  const { configuration } = checkpoint;
  const model = await createTextModel(await createBackend(backend, precisionFrom(configuration)), vocabulary, exampleSettingsFrom(configuration), modelOptionsFrom(configuration));
  try {
    await model.restore(checkpoint);
    return { model, text };
  } catch (error) {
    model[Symbol.dispose]();
    throw error;
  }
}

/** @throws UsageError when a checkpoint was not written by `vastmax train`. */
export function precisionFrom({ precision }: JsonObject): Precision {
  if (precision === 'f32' || precision === 'f64') return precision;
  throw new UsageError(`this checkpoint's precision is ${JSON.stringify(precision)}, expected f32 or f64; was it written by vastmax train?`);
}

/** What a command keeps in a checkpoint beside the trainer's own. */
export interface SavedExtras {
  /** In its configuration: how text was read, the precision. */
  readonly configuration: JsonObject;
  readonly vocabulary: Vocabulary;
  readonly texts: Readonly<Record<string, string>>;
}

export async function saveModel(directory: string, snapshot: TrainingSnapshot, { configuration, vocabulary, texts }: SavedExtras): Promise<void> {
  await writeCheckpoint(directory, {
    configuration: { ...snapshot.configuration, ...configuration },
    modules: snapshot.modules,
    texts: { ...texts, 'vocabulary.json': JSON.stringify(vocabulary) },
  });
}
