/** A checkpoint folder and its parts, as `evaluate`, `predict`, `neighbors` and a resumed `train` want them. */
import type { Backend } from '@vastmax/linalg-core';
import { loadLanguageModel, type LanguageModel, type TrainingSnapshot } from '@vastmax/lm-models';
import { openCheckpoint, writeCheckpoint, type Checkpoint } from '@vastmax/lm-models/node';
import type { JsonObject } from '@vastmax/output-layer';
import { vocabularyFromJSON, type Vocabulary } from '@vastmax/sparse-data';
import { textSettingsFrom, type TextSettings } from './text-settings.ts';

const vocabularyFile = 'vocabulary.json';

export async function readVocabulary(checkpoint: Checkpoint): Promise<Vocabulary> {
  return vocabularyFromJSON(JSON.parse(await checkpoint.text(vocabularyFile)));
}

export interface OpenedModel {
  readonly model: LanguageModel;
  readonly text: TextSettings;
  readonly configuration: JsonObject;
}

/** @throws CheckpointError when there is none, or it is damaged. */
export async function openModel(backend: Backend, directory: string): Promise<OpenedModel> {
  await using checkpoint = await openCheckpoint(directory);
  const vocabulary = await readVocabulary(checkpoint);
  return {
    model: await loadLanguageModel(backend, checkpoint, vocabulary),
    text: textSettingsFrom(checkpoint.configuration),
    configuration: checkpoint.configuration,
  };
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
