/** Translates the options of `vastmax train --model classifier` into options of the network and the trainer. */
import { bagModelShape, type BagChoice, type OutputLayerChoice, type TrainingOptions } from '@vastmax/lm-models';
import { UsageError } from '../terminal/errors.ts';
import { defaultsNameOf, outputLayerChoiceOf } from './output-layer-options.ts';
import { ofLabelledTexts } from './text-label-options.ts';
import { type GivenOption, trainingOptionsOf, type TrainOptions } from './training-options.ts';

export interface LabelNetworkOptions {
  readonly body: BagChoice;
  readonly output: OutputLayerChoice;
}

/** Options that models over words have, and classifiers of texts. */
const ofTexts: ReadonlySet<keyof TrainOptions> = new Set([
  'tokenizer',
  'letterCase',
  'lowerCase',
  'locale',
  'textColumn',
  'minCount',
  'maxVocabulary',
  'initialVectors',
]);

/** Options that only models over words have. */
const ofWords: ReadonlySet<keyof TrainOptions> = new Set(['order', 'steps', 'window', 'distributed', 'repairDrift']);

/**
 * Output rates for several labels per point, measured on Bibtex and Delicious (`bench jobs --job xmc`): activations are
 * larger than in language models, so the losses of the squared outputs need lower rates. Other layers use the rates of
 * language models.
 */
const outputRates: Readonly<Record<string, number>> = {
  'z-loss': 0.1,
  'squared-error': 0.1,
  'spherical-softmax': 0.25,
  'taylor-softmax': 0.25,
};

/**
 * @param hasTexts whether features are made of texts, else given.
 * @throws UsageError for options of models over words, of another layer or loss.
 */
export function labelNetworkOptions(
  options: TrainOptions,
  given: readonly GivenOption[],
  hasTexts: boolean,
): LabelNetworkOptions {
  const foreign = given.find(
    ({ name, isDefault }) => ofWords.has(name) || (!hasTexts && !isDefault && ofTexts.has(name)),
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
  return {
    body: {
      kind: 'bag',
      ...bagModelShape(hasTexts ? 'text-classifier' : 'classifier'),
      embedding,
      ...(hidden === undefined ? {} : { hidden }),
      ...(activation === undefined ? {} : { activation }),
      ...(dropout === undefined ? {} : { dropout }),
      seed,
    },
    output: outputLayerChoiceOf(options),
  };
}

/** @throws UsageError for an option of classifiers, for a model over words. */
export function checkNoLabelOptions(given: readonly GivenOption[]): void {
  const foreign = given.find(
    ({ name }) =>
      (ofLabelledTexts as ReadonlySet<string>).has(name) || name === 'labelFormat' || name === 'classWeights',
  );
  if (foreign !== undefined)
    throw new UsageError(`${foreign.flag} is an option of --model classifier; leave it out, or add --model classifier`);
}

export function labelTrainingOptions(options: TrainOptions, examplesPerEpoch: number): TrainingOptions {
  const outputRate = options.outputRate ?? outputRates[defaultsNameOf(options)];
  return trainingOptionsOf(
    { ...options, optimizer: options.optimizer ?? 'adam', ...(outputRate === undefined ? {} : { outputRate }) },
    examplesPerEpoch,
  );
}
