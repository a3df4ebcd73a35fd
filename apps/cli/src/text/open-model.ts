/** A checkpoint folder and its parts, as `evaluate`, `predict`, `neighbors` and `train` want them. */
import { savedModule } from '@vastmax/lm-models/distributed';
import { networkOptionsFrom } from '@vastmax/lm-models';
import { openCheckpoint, readVocabulary } from '@vastmax/lm-models/node';
import { isLabelModel, type LabelModel, loadLabelModel } from '../labels/label-model.ts';
import { createBackend, precisionFrom } from '../options/backend-choice.ts';
import { UsageError } from '../terminal/errors.ts';
import { exampleSettingsFrom, type TextModel } from './text-model.ts';
import { createTextModel } from './text-models.ts';
import { type TextReading, textReadingFrom } from './text-reading.ts';

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
  await using checkpoint = await openCheckpoint(directory);
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
    networkOptionsFrom(configuration),
  );
  try {
    await model.restore({ configuration, module: (name) => savedModule(checkpoint, name) });
    return { model, text };
  } catch (error) {
    model[Symbol.dispose]();
    throw error;
  }
}
