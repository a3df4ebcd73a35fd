/** The options of `vastmax train`, and their translation into options of the model and the trainer. */
import {
  activationNames,
  feedForwardNames,
  type FeedForwardName,
  type NetworkOptions,
  type TrainingOptions,
} from '@vastmax/lm-models';
import {
  factorizationDefaults,
  recommenderNames,
  recommenderOf,
  type RecommenderName,
  type TrainedRecommenderName,
} from '@vastmax/lm-models/recommenders';
import {
  defaultStepsOf,
  textBody,
  type ExampleSettings,
  type TextBodyChoice,
  type TextModelName,
} from '@vastmax/lm-models/text';
import type { Precision } from '@vastmax/linalg-core';
import { UsageError } from '../terminal/errors.ts';
import type { ConfigOptions } from './config-file.ts';
import type { InteractionOptions } from './interaction-options.ts';
import { layerTrainingDefaults, outputLayerChoiceOf, type WithLayer } from './output-layer-choice.ts';
import type { FeatureOptions } from './feature-options.ts';
import type { OutputLayerOptions } from './output-layer-options.ts';
import type { TextLabelOptions } from './text-label-options.ts';
import type { TextOptions } from './text-options.ts';

export interface TrainOptions
  extends OutputLayerOptions, TextOptions, TextLabelOptions, FeatureOptions, InteractionOptions, ConfigOptions {
  readonly valid?: string;
  /** Given on the command line or in the configuration file; checked before training starts. */
  readonly out: string;
  readonly overwrite?: true;
  readonly resume?: true;
  readonly dryRun?: true;
  readonly initialVectors?: string;
  readonly log?: string;
  readonly tensorboard?: string;
  readonly backend: string;
  readonly threads?: number;
  readonly precision: Precision;
  readonly minCount: number;
  readonly maxVocabulary?: number;
  readonly model: TextModelName | 'classifier' | RecommenderName;
  readonly order?: number;
  readonly steps?: number;
  readonly window?: number;
  readonly layers?: number;
  readonly heads?: number;
  readonly embedding: number;
  readonly hidden?: readonly number[];
  readonly activation?: (typeof activationNames)[number] | FeedForwardName | 'identity';
  readonly dropout?: number;
  readonly outputRate?: number;
  readonly bodyRate?: number;
  /** Whether rates that are not given are searched before training. */
  readonly rates: 'auto' | 'default';
  readonly optimizer?: string;
  readonly clipNorm?: number;
  readonly schedule: string;
  readonly finalFactor: number;
  readonly warmup?: number;
  readonly batch: number;
  readonly epochs: number;
  readonly examples?: number;
  readonly maxMinutes?: number;
  readonly checkpointEvery: number;
  readonly evaluate: number;
  readonly distributed?: 'mpi';
  readonly repairDrift?: true;
}

/** Options of `train` as they are given: without the sizes that depend on the model. */
export type GivenTrainOptions = Omit<TrainOptions, SizeName> & Partial<Pick<TrainOptions, SizeName>>;
type SizeName = 'embedding' | 'epochs' | 'batch';

/** The sizes of a model where none are given. */
export function defaultSizes(model: TrainOptions['model']): Pick<TrainOptions, SizeName> {
  if (model === 'transformer') return { embedding: 128, epochs: 1, batch: 1024 };
  if (!recommenderNames.some((name) => name === model)) return { embedding: 100, epochs: 1, batch: 256 };
  if (model === 'factorization') {
    const { embedding, sweeps } = factorizationDefaults;
    return { embedding, epochs: sweeps, batch: 256 };
  }
  const { embedding, epochs, batchSize } = recommenderOf(model as TrainedRecommenderName).defaults;
  return { embedding, epochs, batch: batchSize };
}

export function withDefaultSizes(options: GivenTrainOptions): TrainOptions {
  return {
    ...options,
    ...Object.fromEntries(
      Object.entries(defaultSizes(options.model)).map(([name, value]) => [name, options[name as SizeName] ?? value]),
    ),
  } as TrainOptions;
}

/** Held-out words that are ranked at the end, unless --evaluate says otherwise. */
export const defaultEvaluated = 20_000;

/** An option that was on the command line or in a configuration file: its name in TrainOptions and its flag. */
export interface GivenOption {
  readonly name: keyof TrainOptions;
  readonly flag: string;
  /** Whether its value is that which it has when it is not given, as in a printed configuration. */
  readonly isDefault: boolean;
}

/** The options of a model over words. */
export type WordTrainOptions = TrainOptions & { readonly model: TextModelName };

const recurrent: readonly TrainOptions['model'][] = ['lstm', 'gru'];

/** Options of texts: models over words have them, and classifiers of texts. */
export const ofTexts: readonly (keyof TrainOptions)[] = [
  'tokenizer',
  'letterCase',
  'lowerCase',
  'locale',
  'textColumn',
  'minCount',
  'maxVocabulary',
  'initialVectors',
];

/** Options that only models over words have; `steps`, `window` and those of transformers are of recommenders too. */
export const ofWords: readonly (keyof TrainOptions)[] = ['order', 'distributed', 'repairDrift'];

/** Options of layers of attention. */
export const ofTransformers: readonly (keyof TrainOptions)[] = ['layers', 'heads'];

/** Options that only some models have. */
const ownOptions: readonly (readonly [
  name: keyof TrainOptions,
  flag: string,
  models: readonly TrainOptions['model'][],
])[] = [
  ['order', '--order', ['ngram', 'bag']],
  ['steps', '--steps', [...recurrent, 'transformer']],
  ['layers', '--layers', ['transformer']],
  ['heads', '--heads', ['transformer']],
  ['window', '--window', ['cbow', 'skip-gram']],
  ['activation', '--activation', ['ngram', 'transformer', 'bag', 'cbow', 'skip-gram']],
];

/** @throws UsageError for an option of another model. */
export function exampleSettingsOf(options: WordTrainOptions): ExampleSettings {
  const { model, window = 5, order = 5 } = options;
  const steps = options.steps ?? defaultStepsOf(model);
  for (const [name, flag, models] of ownOptions) {
    if (options[name] === undefined || models.includes(model)) continue;
    throw new UsageError(
      `${flag} is an option of --model ${models.join(', ')}, not of ${model}; leave it out or choose another model`,
    );
  }
  if (options.activation === 'identity' && (model === 'ngram' || model === 'transformer'))
    throw new UsageError(
      `--activation identity is an option of classifier, bag, cbow and skip-gram, not of ${model}; choose another`,
    );
  const isTransformer = model === 'transformer';
  const wrong = isTransformer ? (['tanh', 'sigmoid'] as const) : (['swiglu'] as const);
  if ((wrong as readonly unknown[]).includes(options.activation)) {
    throw new UsageError(
      `--activation ${String(options.activation)} is not one of ${model}, which has ${(isTransformer ? feedForwardNames : activationNames).join(', ')}; choose another`,
    );
  }
  if (isTransformer && options.hidden !== undefined && options.hidden.length !== 1)
    throw new UsageError(
      `--hidden ${options.hidden.join(',')}: transformer has feed-forward networks of one width; give one`,
    );
  if (options.valid !== undefined && model === 'skip-gram')
    throw new UsageError(
      '--valid ranks words, and skip-gram predicts the words around a word; leave it out, or train another model',
    );
  if (model === 'ngram') return { model };
  return steps !== undefined ? { model, steps } : { model, window: model === 'bag' ? order : window };
}

export function wordBody(options: WordTrainOptions): TextBodyChoice {
  const { model, order, embedding, hidden, activation, layers, heads, steps, dropout, seed } = options;
  return textBody(model, {
    embedding,
    seed,
    ...(layers === undefined ? {} : { layers }),
    ...(heads === undefined ? {} : { heads }),
    ...(steps === undefined ? {} : { steps }),
    ...(order === undefined ? {} : { order }),
    ...(hidden === undefined ? {} : { hidden }),
    ...(activation === undefined || activation === 'identity' ? {} : { activation }),
    ...(dropout === undefined ? {} : { dropout }),
  });
}

/** @throws UsageError for an option of another layer or loss. */
export function networkOptionsOf(options: WithLayer<WordTrainOptions>): NetworkOptions {
  return { body: wordBody(options), output: outputLayerChoiceOf(options) };
}

/** Width of the activations that a body gives to its output layer. */
export function featuresOf(body: TextBodyChoice): number {
  return body.kind === 'transformer' ? body.embedding : (body.hidden?.at(-1) ?? body.embedding);
}

/**
 * Body rates of Adam for every loss: its steps do not depend on the size of gradients. The body of a bag model is a
 * table of embeddings, whose rows are updated rarely, so its rate is higher.
 */
const adamRate = 0.003;
const adamRateOfBags = 0.01;
const bags: readonly TrainOptions['model'][] = ['bag', 'cbow', 'skip-gram'];
/** A transformer's first steps are large and disagree with one another; so it starts slowly, and is clipped. */
const transformerRate = 0.002;
const transformerWarmup = 0.05;
const clipNorms: Partial<Record<TrainOptions['model'], number>> = { lstm: 5, gru: 5, transformer: 1, sasrec: 1 };
const transformers: readonly TrainOptions['model'][] = ['transformer', 'sasrec'];

function adamRateOf(model: TrainOptions['model']): number {
  if (model === 'transformer') return transformerRate;
  return bags.includes(model) ? adamRateOfBags : adamRate;
}

export function trainingOptionsOf(options: WithLayer<TrainOptions>, examplesPerEpoch: number): TrainingOptions {
  const defaults = layerTrainingDefaults(options);
  const optimizer = options.optimizer ?? (options.model === 'ngram' ? 'sgd' : 'adam');
  const clipNorm = options.clipNorm ?? clipNorms[options.model];
  const warmup = options.warmup ?? (transformers.includes(options.model) ? transformerWarmup : undefined);
  return {
    bodyRate: options.bodyRate ?? (optimizer === 'adam' ? adamRateOf(options.model) : defaults.bodyRate),
    outputRate: options.outputRate ?? defaults.outputRate,
    optimizer,
    ...(clipNorm === undefined ? {} : { clipNorm }),
    schedule: options.schedule,
    scheduleOptions: { finalFactor: options.finalFactor, ...(warmup === undefined ? {} : { warmup }) },
    examples: options.examples ?? options.epochs * examplesPerEpoch,
    ...(options.maxMinutes === undefined ? {} : { maximumSeconds: 60 * options.maxMinutes }),
  };
}
