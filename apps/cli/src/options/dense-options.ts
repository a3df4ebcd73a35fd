/** Checks and translates the options of `vastmax train --features`. */
import type { DenseChoice } from '@vastmax/lm-models';
import { UsageError } from '../terminal/errors.ts';
import { ofRecommenders } from './interaction-options.ts';
import { ofTexts, ofTransformers, ofWords, type GivenOption, type TrainOptions } from './training-options.ts';

/** Those that only vectors have. */
const ofFeatures: ReadonlySet<keyof TrainOptions> = new Set([
  'featuresArray',
  'labels',
  'validFeatures',
  'validLabels',
  'layerNorm',
  'shuffleBlocks',
]);

/** Those that vectors lack: of texts, of words and of points. */
const ofOthers: ReadonlySet<keyof TrainOptions> = new Set([
  'text',
  'valid',
  ...ofTexts,
  ...ofWords,
  ...ofTransformers,
  'steps',
  'window',
  'embedding',
  'labelFormat',
  'labelColumn',
  'labelPrefix',
  'wordNgrams',
  'minChars',
  'maxChars',
  'buckets',
  'pointsOnDisk',
]);

/** @throws UsageError for an option of vectors without --features. */
export function checkNoFeatureOptions(given: readonly GivenOption[]): void {
  const foreign = given.find(({ name }) => ofFeatures.has(name));
  if (foreign !== undefined)
    throw new UsageError(`${foreign.flag} is an option of --features; leave it out, or give a file of vectors`);
}

/** The options of a classifier of vectors, with its files. */
export type DenseTrainOptions = TrainOptions & { readonly features: string; readonly labels: string };

/**
 * @throws UsageError for options that vectors lack, or that contradict each other.
 */
export function checkFeatureOptions(options: TrainOptions, given: readonly GivenOption[]): DenseTrainOptions {
  const { features, labels, validFeatures, validLabels, holdOut, model, activation } = options;
  if (features === undefined || labels === undefined)
    throw new UsageError('--features needs --labels too: a file with a line of labels for each vector');
  const isOther = (name: string): boolean =>
    (ofOthers as ReadonlySet<string>).has(name) || (name !== 'holdOut' && ofRecommenders.has(name));
  const foreign = given.find(({ name, isDefault }) => !isDefault && isOther(name));
  if (foreign !== undefined)
    throw new UsageError(
      `${foreign.flag} is an option of texts, points or interactions, not of --features; leave it out`,
    );
  if (model !== 'classifier' && given.some(({ name, isDefault }) => name === 'model' && !isDefault))
    throw new UsageError(`--model ${model} reads words, and --features are vectors with labels; leave --model out`);
  if ((validFeatures === undefined) !== (validLabels === undefined))
    throw new UsageError('--valid-features and --valid-labels belong together; give both, or --hold-out a share');
  if (validFeatures !== undefined && holdOut !== undefined)
    throw new UsageError('--hold-out holds out examples, and --valid-features has some already; give one of them');
  if (activation === 'identity')
    throw new UsageError('--activation identity makes one layer of all; leave --hidden and it out');
  if (activation === 'swiglu')
    throw new UsageError('--activation swiglu is an option of transformer, not of --features; choose another');
  if (isRidge(options)) checkRidge(options, given);
  // A resumed run has its layers, which are known later.
  if (options.resume !== true) checkHiddenLayers(options, given);
  return { ...options, features, labels };
}

/** Those that only hidden layers have. */
const ofLayers: ReadonlySet<keyof TrainOptions> = new Set([
  'layerNorm',
  'activation',
  'optimizer',
  'clipNorm',
  'bodyRate',
]);

/** @throws UsageError for an option that moves nothing without hidden layers. */
export function checkHiddenLayers({ hidden = [] }: TrainOptions, given: readonly GivenOption[]): void {
  const needsLayers = given.find(({ name }) => ofLayers.has(name));
  if (hidden.length === 0 && needsLayers !== undefined)
    throw new UsageError(`${needsLayers.flag} is an option of hidden layers; give their widths by --hidden`);
}

export function isRidge({ outputLayer }: Pick<TrainOptions, 'outputLayer'>): boolean {
  return outputLayer === 'ridge';
}

/** A ridge head has none of what training has. */
const ofRidge: ReadonlySet<keyof TrainOptions> = new Set([
  'features',
  'featuresArray',
  'labels',
  'validFeatures',
  'validLabels',
  'holdOut',
  'labelSeparator',
  'minCountLabel',
  'outputLayer',
  'model',
  'out',
  'overwrite',
  'dryRun',
  'backend',
  'threads',
  'precision',
  'batch',
  'seed',
  'evaluate',
  'config',
]);

function checkRidge(options: TrainOptions, given: readonly GivenOption[]): void {
  if (options.resume === true)
    throw new UsageError(
      '--output-layer ridge is fitted in one pass, so there is nothing to resume; leave --resume out',
    );
  const foreign = given.find(({ name, isDefault }) => !isDefault && !ofRidge.has(name));
  if (foreign !== undefined)
    throw new UsageError(
      `${foreign.flag} is no option of --output-layer ridge, which is fitted in one pass; leave it out`,
    );
}

/** @param inputScale what vectors are divided by. */
export function denseBody(options: TrainOptions, inputScale: number): DenseChoice {
  const { hidden = [], activation = 'relu', dropout = 0, layerNorm = false, seed } = options;
  const layers =
    hidden.length === 0
      ? { inputDropout: dropout }
      : {
          hidden,
          activation: activation === 'identity' || activation === 'swiglu' ? ('relu' as const) : activation,
          layerNorm,
          dropout,
        };
  return { kind: 'dense', ...layers, inputScale, seed };
}
