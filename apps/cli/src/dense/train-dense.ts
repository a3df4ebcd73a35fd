/** `vastmax train --features`: from vectors that another encoder has made, and labels, to a saved and evaluated model. */
import {
  createNetwork,
  loadNetwork,
  networkOptionsFrom,
  outputLayerOf,
  type DenseNetwork,
  type OutputLayerChoice,
} from '@vastmax/lm-models';
import {
  checkClassWeights,
  Classifier,
  classifierContent,
  isDenseClassifier,
  readClassifierParts,
  type ClassifierParts,
  type DenseClassifier,
} from '@vastmax/lm-models/labels';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { DenseBatches } from '@vastmax/sparse-data';
import { createSubwordTokenizer } from '@vastmax/text-readers';
import { describeLabelEvaluation, evaluateExamples } from '../labels/evaluate-labels.ts';
import { classWeightsText, readLabelWeights } from '../labels/label-weights.ts';
import { withAutomaticLayer } from '../options/automatic-layer.ts';
import {
  checkFeatureOptions,
  checkHiddenLayers,
  denseBody,
  isRidge,
  type DenseTrainOptions,
} from '../options/dense-options.ts';
import { rowsOfBlock } from '../options/feature-options.ts';
import { labelOutputChoice, labelTrainingOptions } from '../options/label-options.ts';
import { withKnownLayer } from '../options/output-layer-choice.ts';
import type { GivenOption, TrainOptions } from '../options/training-options.ts';
import { createBackendOf, isDataOf, prepareFolder, readRunState, type RunState } from '../run/run-folder.ts';
import { fromCheckpoint, trainNetwork } from '../run/train-network.ts';
import { planOfVectors } from '../run/training-plan.ts';
import { UsageError } from '../terminal/errors.ts';
import { Interruption } from '../terminal/interruption.ts';
import {
  evaluationBatches,
  checkWidth,
  readDenseData,
  readHeldOut,
  type DenseExamples,
  type DenseTrainingData,
} from './dense-data.ts';
import { fitRidgeHead } from './fit-ridge.ts';
import { hasOneArray } from './open-vectors.ts';

/** @param given the options that were on the command line or in a configuration file. */
export async function trainDense(allOptions: TrainOptions, given: readonly GivenOption[]): Promise<void> {
  using interruption = new Interruption();
  const { signal } = interruption;
  const checked = checkFeatureOptions(allOptions, given);
  await using folder = await prepareFolder(checked, given, readDenseRun);
  const { resumed } = folder;
  const options = optionsOfRun(checked, resumed);
  checkHiddenLayers(options, given);
  using data = await readDenseData({ ...options, knownLabels: resumed?.classifier.labels }, signal);
  if (resumed !== undefined && !isDataOf(resumed, data.fingerprint))
    throw new UsageError(
      `${options.features} and ${options.labels} do not hold the examples that ${options.out} was trained on; resume with the same files`,
    );
  // Before the training: files that do not fit are refused at once.
  using files = await readHeldOutFiles(options, data, signal);
  const heldOut = files ?? data.heldOut;
  if (isRidge(options)) {
    using fitted = await fitRidgeHead(options, data, signal);
    if (fitted !== undefined) await evaluateHeldOut(fitted, options, heldOut, signal);
    return;
  }
  await trainClassifier(options, given, { resumed, data, heldOut, signal });
}

interface DenseRun extends RunState {
  readonly classifier: ClassifierParts;
  readonly output: OutputLayerChoice;
  /** Those of a file. */
  readonly classWeights?: string;
}

async function readDenseRun(directory: string): Promise<DenseRun> {
  await using checkpoint = await openCheckpoint(createFileStorage(directory));
  const { configuration } = checkpoint;
  if (configuration['ridge'] !== undefined)
    throw new UsageError(`${directory} holds a ridge head, which was fitted in one pass; there is nothing to resume`);
  const state = await readRunState(directory);
  if (!isDenseClassifier(configuration))
    throw new UsageError(`${directory} holds no classifier of vectors; leave --features out to go on with it`);
  return {
    ...state,
    classifier: readClassifierParts(checkpoint, createSubwordTokenizer),
    output: networkOptionsFrom(configuration).output,
    ...(checkpoint.textNames.includes(classWeightsText) ? { classWeights: checkpoint.text(classWeightsText) } : {}),
  };
}

/**
 * What determines the examples and their order is that of the run, and so are the layers; labels may come from a file
 * with another separator.
 */
function optionsOfRun(options: DenseTrainOptions, resumed: DenseRun | undefined): DenseTrainOptions {
  if (resumed === undefined) return options;
  const { hidden, holdOut, shuffleBlocks, seed, classWeights, labelSeparator } =
    resumed.options as unknown as DenseTrainOptions;
  return {
    ...(labelSeparator === undefined ? {} : { labelSeparator }),
    ...options,
    seed,
    precision: resumed.precision,
    ...(hidden === undefined ? {} : { hidden }),
    ...(holdOut === undefined ? {} : { holdOut }),
    ...(shuffleBlocks === undefined ? {} : { shuffleBlocks }),
    ...(classWeights === undefined ? {} : { classWeights }),
  };
}

interface DenseTraining {
  readonly resumed: DenseRun | undefined;
  readonly data: DenseTrainingData;
  readonly heldOut: DenseExamples | undefined;
  readonly signal: AbortSignal;
}

async function trainClassifier(
  options: DenseTrainOptions,
  given: readonly GivenOption[],
  { resumed, data, heldOut, signal }: DenseTraining,
): Promise<void> {
  const { training: examples, labels, frequencies, fingerprint } = data;
  const { inputs, targets, rows } = examples;
  const { options: chosen, output } = chooseOutput(options, resumed, data);
  const weights =
    options.classWeights === undefined
      ? undefined
      : await readLabelWeights(options.classWeights, labels, frequencies, resumed?.classWeights);
  if (weights !== undefined) checkClassWeights(output);
  const precision = resumed?.precision ?? options.precision;
  const batchSize = resumed?.batchSize ?? options.batch;
  const { backend, name: backendName } = await createBackendOf(resumed, options, given, { precision });
  using network: DenseNetwork =
    resumed === undefined
      ? await createNetwork(
          backend,
          { inputs: inputs.columns, frequencies },
          { body: denseBody(options, data.scale), output },
        )
      : await fromCheckpoint(options.out, (checkpoint) => loadNetwork(backend, checkpoint, { kind: 'dense' }));
  checkWidth(options.features, inputs.columns, network.sizes.inputs);
  const { shuffleBlocks } = options;
  const batches = new DenseBatches({
    inputs,
    targets,
    rows,
    batchSize,
    seed: options.seed,
    targetWeights: outputLayerOf(output.kind).abilities.targetWeights(output),
    ...(shuffleBlocks === undefined ? {} : { blocks: { rows: rowsOfBlock, count: shuffleBlocks } }),
    ...(weights === undefined ? {} : { classWeights: weights.weights }),
  });
  const { examplesPerEpoch } = batches;
  const classifier = new Classifier<DenseNetwork>(network, { labels, examples: examplesPerEpoch });
  const content = classifierContent(classifier);
  const isTrained = await trainNetwork(options.features, options, given, {
    plan: planOfVectors(network, data),
    batches,
    batchSize,
    // A weight of a layer is in every minibatch.
    training: labelTrainingOptions(chosen, examplesPerEpoch, { occurrences: examplesPerEpoch / batchSize }),
    // Without layers there is nothing for the body's rate to move.
    ...(network.body.parameterCount === 0 ? { only: ['outputRate'] as const } : {}),
    resumed,
    chosen,
    backendName,
    content: {
      configuration: { ...content.configuration, pointsHash: fingerprint },
      texts: { ...content.texts, ...weights?.texts },
    },
    signal,
  });
  if (isTrained) await evaluateHeldOut(classifier, options, heldOut, signal);
}

/** The layer that is named, that of a resumed run, or the best one for the number of labels. */
function chooseOutput(
  options: DenseTrainOptions,
  resumed: DenseRun | undefined,
  { training: { inputs, targets, rows }, frequencies }: DenseTrainingData,
): {
  readonly options: ReturnType<typeof withAutomaticLayer<DenseTrainOptions>>['options'];
  readonly output: OutputLayerChoice;
} {
  if (resumed !== undefined)
    return { options: { ...options, outputLayer: resumed.output.kind }, output: resumed.output };
  const named = withKnownLayer(options);
  if (named !== undefined) return { options: named, output: labelOutputChoice(named) };
  const { options: chosen, note } = withAutomaticLayer(options, {
    job: 'labels',
    classes: targets.columns,
    width: (options.hidden?.at(-1) ?? inputs.columns) + 1,
    batch: options.batch,
    targetsPerExample: frequencies.reduce((sum, each) => sum + each, 0) / Math.max(1, rows.length),
  });
  process.stdout.write(note);
  return { options: chosen, output: labelOutputChoice(chosen) };
}

/** Those of --valid-features, where they are given. @throws SparseDataError for files that do not fit the others. */
async function readHeldOutFiles(
  options: DenseTrainOptions,
  { labels, training: { inputs } }: DenseTrainingData,
  signal: AbortSignal,
): Promise<(DenseExamples & Disposable) | undefined> {
  const { validFeatures, validLabels, featuresArray: array, labelSeparator, precision } = options;
  if (validFeatures === undefined || validLabels === undefined) return undefined;
  return readHeldOut(
    {
      features: validFeatures,
      labels: validLabels,
      array: hasOneArray(validFeatures) ? undefined : array,
      labelSeparator,
      precision,
    },
    { labels, features: inputs.columns },
    signal,
  );
}

async function evaluateHeldOut(
  classifier: DenseClassifier,
  { evaluate }: DenseTrainOptions,
  heldOut: DenseExamples | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (heldOut === undefined) return;
  const evaluation = await evaluateExamples(classifier, () => evaluationBatches(heldOut), {
    limit: evaluate,
    what: 'examples',
    signal,
  });
  process.stdout.write(`\n${describeLabelEvaluation('held-out examples', evaluation, 'examples')}`);
}
