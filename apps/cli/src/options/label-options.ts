/** Translates the options of `vastmax train --model classifier` into options of the network and the trainer. */
import { bagModelShape, type BagChoice, type OutputLayerChoice, type TrainingOptions } from '@vastmax/lm-models';
import { classifierTraining } from '@vastmax/lm-models/labels';
import { UsageError } from '../terminal/errors.ts';
import { defaultsNameOf, outputLayerChoiceOf, type WithLayer } from './output-layer-choice.ts';
import { ofLabelledTexts } from './text-label-options.ts';
import {
  type GivenOption,
  ofTexts,
  ofTransformers,
  ofWords,
  trainingOptionsOf,
  type TrainOptions,
} from './training-options.ts';

const foreignToTexts: ReadonlySet<keyof TrainOptions> = new Set([...ofWords, ...ofTransformers, 'steps', 'window']);
const foreignToPoints: ReadonlySet<keyof TrainOptions> = new Set([...foreignToTexts, ...ofTexts]);

/**
 * @param hasTexts whether features are made of texts, else given.
 * @throws UsageError for options of models over words.
 */
export function labelBody(options: TrainOptions, given: readonly GivenOption[], hasTexts: boolean): BagChoice {
  const foreign = given.find(
    ({ name, isDefault }) => foreignToTexts.has(name) || (!hasTexts && !isDefault && foreignToPoints.has(name)),
  );
  if (foreign !== undefined)
    throw new UsageError(
      `${foreign.flag} is an option of models over words, not of classifier; leave it out or choose another model`,
    );
  const ofLabels = hasTexts ? undefined : given.find(({ name }) => (ofLabelledTexts as ReadonlySet<string>).has(name));
  if (ofLabels !== undefined)
    throw new UsageError(
      `${ofLabels.flag} is an option of classifiers of texts, and the points of an XMC file have features of their own; leave it out, or give texts`,
    );
  const { embedding, hidden, activation, dropout, seed } = options;
  if (activation === 'swiglu')
    throw new UsageError('--activation swiglu is an option of transformer, not of classifier; choose another');
  return {
    kind: 'bag',
    ...bagModelShape(hasTexts ? 'text-classifier' : 'classifier'),
    embedding,
    ...(hidden === undefined ? {} : { hidden }),
    ...(activation === undefined ? {} : { activation }),
    ...(dropout === undefined ? {} : { dropout }),
    seed,
  };
}

/**
 * With the layer's update rule for classifiers, where it has a choice and none is given.
 * @throws UsageError for an option of another layer or loss.
 */
export function labelOutputChoice(options: WithLayer<TrainOptions>): OutputLayerChoice {
  const { outputRule } = classifierTraining(defaultsNameOf(options), {
    updates: 1,
    outputRule: options.outputOptimizer,
  });
  return outputLayerChoiceOf(outputRule === undefined ? options : { ...options, outputOptimizer: outputRule });
}

/** Update rule of the body. */
export function labelOptimizerOf({ optimizer = 'adam' }: TrainOptions): string {
  return optimizer;
}

/** @throws UsageError for an option of classifiers, for a model over words. */
export function checkNoLabelOptions(given: readonly GivenOption[]): void {
  const foreign = given.find(
    ({ name }) =>
      (ofLabelledTexts as ReadonlySet<string>).has(name) ||
      name === 'labelFormat' ||
      name === 'classWeights' ||
      name === 'pointsOnDisk',
  );
  if (foreign !== undefined)
    throw new UsageError(`${foreign.flag} is an option of --model classifier; leave it out, or add --model classifier`);
}

/** The rates of a classifier depend on its data. */
interface LabelDataSize {
  /** How often a feature occurs in an epoch, on average over those that do. */
  readonly occurrences: number;
}

export function labelTrainingOptions(
  options: WithLayer<TrainOptions>,
  examplesPerEpoch: number,
  { occurrences }: LabelDataSize = { occurrences: 1 },
): TrainingOptions {
  const epochs = options.examples === undefined ? options.epochs : options.examples / examplesPerEpoch;
  const defaults = classifierTraining(defaultsNameOf(options), {
    updates: occurrences * epochs,
    outputRule: options.outputOptimizer,
  });
  const optimizer = labelOptimizerOf(options);
  const { outputRate = defaults.outputRate } = options;
  const bodyRate = options.bodyRate ?? (optimizer === 'adam' ? defaults.bodyRate : undefined);
  return trainingOptionsOf(
    { ...options, optimizer, outputRate, ...(bodyRate === undefined ? {} : { bodyRate }) },
    examplesPerEpoch,
  );
}
