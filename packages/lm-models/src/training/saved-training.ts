/** The options of a training run out of a checkpoint's configuration. */
import { shown } from '@vastmax/checkpoints';
import type { JsonObject, JsonValue } from '@vastmax/linalg-core/state';
import { ModelError } from '../model-error.ts';
import type { TrainingOptions } from './training-types.ts';

const isNumber = (value: unknown): boolean => typeof value === 'number';
const isText = (value: unknown): boolean => typeof value === 'string';
const isNumbers = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isNumber);
const orNothing =
  (fits: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || fits(value);

/** What fits each option; the trainer checks their ranges. */
const options: Readonly<Record<keyof TrainingOptions, (value: JsonValue | undefined) => boolean>> = {
  bodyRate: isNumber,
  outputRate: isNumber,
  optimizer: isText,
  optimizerOptions: orNothing(isNumbers),
  clipNorm: orNothing(isNumber),
  weightDecay: orNothing(isNumber),
  schedule: isText,
  scheduleOptions: orNothing(isNumbers),
  examples: isNumber,
  maximumSeconds: orNothing(isNumber),
};

/**
 * The `training` of a checkpoint's configuration, as the trainer writes it.
 * @throws ModelError `state-mismatch` where there is none, or an option is missing or of another type.
 */
export function trainingOptionsFrom({ training }: JsonObject): TrainingOptions {
  if (typeof training !== 'object' || training === null || Array.isArray(training))
    throw new ModelError(
      'state-mismatch',
      "the checkpoint's configuration describes no training run: 'training' is missing",
    );
  const given = training as JsonObject;
  for (const [name, fits] of Object.entries(options)) {
    if (fits(given[name])) continue;
    const found = given[name] === undefined ? 'missing' : shown(given[name]);
    throw new ModelError('state-mismatch', `the checkpoint's configuration: training.${name} is ${found}`);
  }
  return given as unknown as TrainingOptions;
}
