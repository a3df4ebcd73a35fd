/** A checkpoint folder and its parts, as `evaluate`, `predict`, `neighbors` and a resumed `train` want them. */
import type { Precision } from '@vastmax/linalg-core';
import { loadLanguageModel, type LanguageModel, type TrainingSnapshot } from '@vastmax/lm-models';
import { openCheckpoint, writeCheckpoint, type Checkpoint } from '@vastmax/lm-models/node';
import type { JsonObject } from '@vastmax/output-layer';
import { vocabularyFromJSON, type Vocabulary } from '@vastmax/sparse-data';
import { createBackend } from './backend-choice.ts';
import { textSettingsFrom, type TextSettings } from './text-settings.ts';
import { UsageError } from './usage-error.ts';

const vocabularyFile = 'vocabulary.json';

export async function readVocabulary(checkpoint: Checkpoint): Promise<Vocabulary> {
  return vocabularyFromJSON(JSON.parse(await checkpoint.text(vocabularyFile)));
}

export interface OpenedModel {
  readonly model: LanguageModel;
  readonly text: TextSettings;
}

/** On a backend of the precision that it was trained in. @throws CheckpointError when there is none, or it is damaged. */
export async function openModel(backend: string, directory: string): Promise<OpenedModel> {
  await using checkpoint = await openCheckpoint(directory);
  const { configuration } = checkpoint;
  const text = textSettingsFrom(configuration);
  const vocabulary = await readVocabulary(checkpoint);
  return { model: await loadLanguageModel(await createBackend(backend, precisionFrom(configuration)), checkpoint, vocabulary), text };
}

/** @throws UsageError when a checkpoint was not written by `vastmax train`. */
export function precisionFrom({ precision }: JsonObject): Precision {
  if (precision === 'f32' || precision === 'f64') return precision;
  throw new UsageError(`this checkpoint's precision is ${JSON.stringify(precision)}, expected f32 or f64; was it written by vastmax train?`);
}

/** @param extra what the command itself wants back: how text was read, the precision. */
export async function saveModel(
  directory: string,
  snapshot: TrainingSnapshot,
  vocabulary: Vocabulary,
  extra: JsonObject,
): Promise<void> {
  await writeCheckpoint(directory, {
    configuration: { ...snapshot.configuration, ...extra },
    modules: snapshot.modules,
    texts: { [vocabularyFile]: JSON.stringify(vocabulary.toJSON()) },
  });
}
