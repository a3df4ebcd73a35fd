/** The values of those options of `vastmax train` whose default depends on other options. */
import { type OutputLayerChoice, type TrainingOptions, outputLayerOf } from '@vastmax/lm-models';
import type { TextBodyChoice } from '@vastmax/lm-models/text';
import { denseBody, isRidge } from './dense-options.ts';
import { labelBody, labelOutputChoice, labelTrainingOptions } from './label-options.ts';
import {
  layersOfOptions,
  optionsOfLayer,
  outputLayerChoiceOf,
  withKnownLayer,
  type WithLayer,
} from './output-layer-choice.ts';
import { hasTexts } from './text-label-options.ts';
import {
  factorizationWeights,
  isRecommenderName,
  recommenderBody,
  recommenderTrainingOptions,
  withRecommenderLayer,
  type TrainedRecommenderOptions,
} from './recommender-options.ts';
import {
  defaultSizes,
  exampleSettingsOf,
  networkOptionsOf,
  trainingOptionsOf,
  withDefaultSizes,
  type GivenTrainOptions,
  type TrainOptions,
  wordBody,
  type WordTrainOptions,
} from './training-options.ts';

/**
 * The values of the dependent options that are not set. Values that a layer chooses by its cost (--head-size,
 * --cutoffs) are not included.
 * @throws UsageError for options that contradict each other.
 */
export function dependentDefaults(given: GivenTrainOptions): Partial<TrainOptions> {
  const options = withDefaultSizes(given);
  const { model } = options;
  const own =
    options.features !== undefined
      ? denseDefaults(options)
      : model === 'classifier'
        ? labelDefaults(options)
        : isRecommenderName(model)
          ? model === 'factorization'
            ? factorizationWeights({ ...options, model })
            : recommenderDefaults({ ...options, model })
          : wordDefaults({ ...options, model });
  const values: Record<string, unknown> = { ...defaultSizes(model), ...own };
  const open = Object.entries(values).filter(
    ([name, value]) => value !== undefined && given[name as keyof TrainOptions] === undefined,
  );
  return Object.fromEntries(open);
}

function wordDefaults(options: WordTrainOptions): Partial<TrainOptions> {
  const { model, steps, window } = exampleSettingsOf(options);
  const example = withAnyLayer(options);
  const { output } = networkOptionsOf(example);
  return {
    ...(model === 'bag' ? optional({ order: window }) : optional({ steps, window })),
    ...bodyDefaults(wordBody(options)),
    ...(withKnownLayer(options) !== undefined ? layerDefaults(output) : {}),
    ...trainingDefaultsOf(trainingOptionsOf(example, 1), options),
  };
}

function labelDefaults(options: TrainOptions): Partial<TrainOptions> {
  const example = withAnyLayer(options);
  // The body's rate depends on how often its features occur.
  const { bodyRate, ...training } = trainingDefaultsOf(labelTrainingOptions(example, 1), options);
  return {
    ...bodyDefaults(labelBody(options, [], hasTexts(options, options.text))),
    ...(withKnownLayer(options) !== undefined ? layerDefaults(labelOutputChoice(example)) : {}),
    ...training,
    ...(training.optimizer === 'adam' || bodyRate === undefined ? {} : { bodyRate }),
  };
}

function recommenderDefaults(options: TrainedRecommenderOptions): Partial<TrainOptions> {
  const known = withRecommenderLayer(options);
  const example = known ?? withAnyLayer(options);
  const body = recommenderBody(options);
  const inputDropout = body.kind === 'bag' ? body.inputDropout : undefined;
  const { context, positions } = body.kind === 'transformer' ? body : {};
  return {
    ...bodyDefaults(body),
    ...optional({ inputDropout, context, positions, loss: known?.loss, precondition: known?.precondition }),
    ...(known !== undefined ? layerDefaults(outputLayerChoiceOf(known)) : {}),
    ...trainingDefaultsOf(recommenderTrainingOptions(example, 1), options),
  };
}

function denseDefaults(options: TrainOptions): Partial<TrainOptions> {
  if (isRidge(options)) return {};
  const { kind, inputScale, inputDropout, seed, ...body } = denseBody(options, 1);
  void [kind, inputScale, seed];
  const example = withAnyLayer(options);
  // The body's rate depends on how many minibatches there are.
  const { outputRate, optimizer } = labelTrainingOptions(example, 1);
  return {
    dropout: inputDropout ?? 0,
    ...body,
    ...(withKnownLayer(options) !== undefined ? { ...layerDefaults(labelOutputChoice(example)), outputRate } : {}),
    ...(body.hidden === undefined ? {} : { optimizer }),
  };
}

/** What does not depend on the layer is the same with each that the options fit. */
function withAnyLayer<Options extends TrainOptions>(options: Options): WithLayer<Options> {
  return withKnownLayer(options) ?? { ...options, outputLayer: layersOfOptions(options)[0] ?? 'full' };
}

function bodyDefaults(body: TextBodyChoice): Partial<TrainOptions> {
  const { dropout = 0 } = body;
  if (body.kind === 'transformer') {
    const { layers, heads, feedForward = 4 * body.embedding, activation = 'gelu' } = body;
    return { layers, heads, hidden: [feedForward], dropout, activation };
  }
  const { hidden = [] } = body;
  if (body.kind === 'ngram') return { order: body.order, hidden, dropout, activation: body.activation ?? 'tanh' };
  // The activation of a recurrent body cannot be chosen, and a bag may have none.
  return {
    hidden,
    dropout,
    ...(body.kind === 'bag' && body.activation !== undefined && body.activation !== 'identity'
      ? { activation: body.activation }
      : {}),
  };
}

function layerDefaults(output: OutputLayerChoice): Partial<TrainOptions> {
  return { ...ownDefaults(output), initialScale: output.initialScale };
}

function ownDefaults(output: OutputLayerChoice): Partial<TrainOptions> {
  if (output.kind === 'factored') {
    const { a, b, ...named } = output.loss.options;
    return optional({ zA: a, zB: b, ...named });
  }
  const { power, ...defaults } = { ...outputLayerOf(output.kind).defaults };
  // Only the unigram proposal has a power.
  const isUnigram = 'proposal' in output && output.proposal === 'unigram';
  return optionsOfLayer({
    ...defaults,
    ...(isUnigram ? { proposal: output.proposal, power } : {}),
    ...('rule' in output && output.rule !== undefined ? { rule: output.rule } : {}),
  });
}

function trainingDefaultsOf(
  { outputRate, bodyRate, optimizer, clipNorm, scheduleOptions }: TrainingOptions,
  options: TrainOptions,
): Partial<TrainOptions> {
  const rates =
    withKnownLayer(options) !== undefined ? { outputRate, bodyRate } : optimizer === 'adam' ? { bodyRate } : {};
  return { ...rates, optimizer, ...optional({ clipNorm, warmup: scheduleOptions?.warmup }) };
}

function optional(values: Readonly<Record<string, string | number | undefined>>): Partial<TrainOptions> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
