/** Translates the options of `vastmax train` with a recommender into options of the network and the trainer. */
import {
  activationNames,
  feedForwardNames,
  trainingDefaults,
  type NetworkOptions,
  type TrainingOptions,
} from '@vastmax/lm-models';
import {
  factorizationDefaults,
  recommenderNames,
  recommenderOf,
  type FactorizationOptions,
  type RecommenderName,
  type RecommenderSettings,
  type TrainedRecommenderName,
} from '@vastmax/lm-models/recommenders';
import { UsageError } from '../terminal/errors.ts';
import { dataOptions } from './interaction-options.ts';
import {
  defaultsNameOf,
  layersOfOptions,
  optionsOfLayer,
  withKnownLayer,
  type WithLayer,
} from './output-layer-choice.ts';
import { ofLabelledTexts } from './text-label-options.ts';
import {
  ofTexts,
  ofTransformers,
  ofWords,
  trainingOptionsOf,
  type GivenOption,
  type TrainOptions,
} from './training-options.ts';

/** The bodies of recommenders. */
export type RecommenderBodyKind = 'bag' | 'recurrent' | 'transformer';

/** The options of a recommender. */
export type RecommenderTrainOptions = TrainOptions & { readonly model: RecommenderName };
/** Those of one that is trained by minibatches. */
export type TrainedRecommenderOptions = TrainOptions & { readonly model: TrainedRecommenderName };

export const isRecommenderName = (model: string): model is RecommenderName =>
  recommenderNames.some((name) => name === model);

/** Options that no recommender has. */
const ofOtherModels: ReadonlySet<string> = new Set([
  ...ofLabelledTexts,
  'labelFormat',
  'classWeights',
  'pointsOnDisk',
  ...ofTexts,
  ...ofWords,
]);

/** Options that only some recommenders have. */
const ownOptions: readonly (readonly [name: keyof TrainOptions, models: readonly RecommenderName[]])[] = [
  ['window', ['next-item']],
  ['steps', ['session']],
  ['activation', ['autoencoder', 'next-item', 'sasrec']],
  ['inputDropout', ['autoencoder', 'next-item']],
  ['weightColumn', ['autoencoder', 'factorization']],
  ['lambda', ['factorization']],
  ...[...ofTransformers, 'context' as const, 'positions' as const].map((name) => [name, ['sasrec'] as const] as const),
];

/** A factorization has nothing of what minibatches and output layers have. */
const ofFactorization: ReadonlySet<keyof TrainOptions> = new Set([
  ...dataOptions,
  'text',
  'model',
  'valid',
  'out',
  'overwrite',
  'resume',
  'dryRun',
  'config',
  'embedding',
  'epochs',
  'lambda',
  'unobservedWeight',
  'seed',
  'evaluate',
  'backend',
  'threads',
  'precision',
]);

/** @throws UsageError for an option of another model. */
export function checkRecommenderOptions(options: RecommenderTrainOptions, given: readonly GivenOption[]): void {
  const { model, activation, hidden, split, holdOut = 0, valid } = options;
  const foreign = given.find(({ name, isDefault }) => !isDefault && ofOtherModels.has(name));
  if (foreign !== undefined)
    throw new UsageError(`${foreign.flag} is no option of ${model}; leave it out or choose another model`);
  const ofMinibatches =
    model === 'factorization'
      ? given.find(({ name, isDefault }) => !isDefault && !ofFactorization.has(name))
      : undefined;
  if (ofMinibatches !== undefined)
    throw new UsageError(
      `${ofMinibatches.flag} is of models that are trained by minibatches, and factorization is fitted by sweeps; leave it out`,
    );
  for (const [name, models] of ownOptions) {
    const found = given.find((each) => each.name === name);
    if (found === undefined || models.includes(model)) continue;
    throw new UsageError(
      `${found.flag} is an option of --model ${models.join(', ')}, not of ${model}; leave it out or choose another model`,
    );
  }
  const names: readonly string[] = model === 'sasrec' ? feedForwardNames : activationNames;
  if (activation !== undefined && !names.includes(activation))
    throw new UsageError(
      `--activation ${activation} is not one of ${model}, which has ${names.join(', ')}; choose another`,
    );
  if (model === 'sasrec' && hidden !== undefined && hidden.length !== 1)
    throw new UsageError(`--hidden ${hidden.join(',')}: sasrec has feed-forward networks of one width; give one`);
  if (split === 'share' && recommenderOf(model).reads === 'sequences')
    throw new UsageError(
      `--split share holds out items at random, and ${model} reads them in their order; take last or time`,
    );
  if (holdOut > 0 && (split ?? (recommenderOf(model).reads === 'sets' ? 'share' : 'last')) === 'last')
    throw new UsageError(
      `--hold-out ${holdOut} is of --split share and time, and --split last holds out one item of each user; leave one of them out`,
    );
  if (valid !== undefined && (split !== undefined || holdOut > 0))
    throw new UsageError(
      '--valid is what is held out, so nothing is divided off; leave it, or --split and --hold-out, out',
    );
}

export function recommenderSettingsOf({ model, window, steps, context }: RecommenderTrainOptions): RecommenderSettings {
  return {
    model,
    ...(window === undefined ? {} : { window }),
    ...(steps === undefined ? {} : { steps }),
    ...(context === undefined ? {} : { context }),
  };
}

/** The weights of a factorization's sums, and its width. */
export function factorizationWeights({
  embedding,
  lambda = factorizationDefaults.lambda,
  unobservedWeight = factorizationDefaults.unobservedWeight,
}: RecommenderTrainOptions): Required<Pick<FactorizationOptions, 'embedding' | 'lambda' | 'unobservedWeight'>> {
  return { embedding, lambda, unobservedWeight };
}

export function recommenderBody(options: TrainedRecommenderOptions): NetworkOptions<RecommenderBodyKind>['body'] {
  const { model, embedding, hidden, activation, layers, heads, positions, context, dropout, inputDropout, seed } =
    options;
  return recommenderOf(model).body({
    embedding,
    seed,
    ...(hidden === undefined ? {} : { hidden }),
    ...(activation === undefined || activation === 'identity' ? {} : { activation }),
    ...(layers === undefined ? {} : { layers }),
    ...(heads === undefined ? {} : { heads }),
    ...(positions === undefined ? {} : { positions }),
    ...(context === undefined ? {} : { context }),
    ...(dropout === undefined ? {} : { dropout }),
    ...(inputDropout === undefined ? {} : { inputDropout }),
  });
}

/**
 * The options with the output layer that is given; with the model's own and its options where none is, or only options
 * that it has.
 * @returns undefined where options of other layers are given, several of which fit.
 */
export function withRecommenderLayer<Options extends TrainedRecommenderOptions>(
  options: Options,
): WithLayer<Options> | undefined {
  const { kind, loss, ...own } = recommenderOf(options.model).defaults.output;
  const isOwn =
    (options.outputLayer === 'auto' ? layersOfOptions(options).includes(kind) : options.outputLayer === kind) &&
    (options.loss ?? loss.name) === loss.name;
  if (!isOwn) return withKnownLayer(options);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return {
    ...optionsOfLayer(own),
    initialScale: own.initialScale,
    ...loss.options,
    ...given,
    loss: loss.name,
    outputLayer: kind,
  } as WithLayer<Options>;
}

export function recommenderTrainingOptions(
  options: WithLayer<TrainedRecommenderOptions>,
  examplesPerEpoch: number,
): TrainingOptions {
  const { defaults } = recommenderOf(options.model);
  const { optimizer = 'adam' } = options;
  const name = defaultsNameOf(options);
  const outputRate =
    options.outputRate ??
    (name === defaults.output.loss.name
      ? defaults.outputRate
      : trainingDefaults(name, options.outputOptimizer).outputRate);
  const bodyRate = options.bodyRate ?? (optimizer === 'adam' ? defaults.bodyRate : undefined);
  return trainingOptionsOf(
    { ...options, optimizer, outputRate, ...(bodyRate === undefined ? {} : { bodyRate }) },
    examplesPerEpoch,
  );
}
