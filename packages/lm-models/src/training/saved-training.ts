/** The options of a training run out of a checkpoint's configuration. */
import type { JsonObject } from '@vastmax/linalg-core/state';
import { ModelError } from '../model-error.ts';
import { checkFields, isObject, number, numbers, optional, text, type FieldType } from '../saved-fields.ts';
import type { TrainingOptions } from './training-types.ts';

/** The trainer checks the ranges. */
const options: Readonly<Record<keyof TrainingOptions, FieldType>> = {
  bodyRate: number,
  outputRate: number,
  optimizer: text,
  optimizerOptions: optional(numbers),
  clipNorm: optional(number),
  weightDecay: optional(number),
  schedule: text,
  scheduleOptions: optional(numbers),
  examples: number,
  maximumSeconds: optional(number),
};

/**
 * The `training` of a checkpoint's configuration, as the trainer writes it.
 * @throws ModelError `state-mismatch` where there is none, or an option is missing or of another type.
 */
export function trainingOptionsFrom({ training }: JsonObject): TrainingOptions {
  if (!isObject(training))
    throw new ModelError(
      'state-mismatch',
      "the checkpoint's configuration describes no training run: 'training' is missing",
    );
  checkFields('training', training, options);
  return training as unknown as TrainingOptions;
}
