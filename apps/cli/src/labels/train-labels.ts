/** `vastmax train --model classifier`: from a file of labelled points or texts to a saved and evaluated model. */
import {
  createNetwork,
  createUpdateRule,
  loadNetwork,
  networkOptionsFrom,
  outputLayerOf,
  type BagNetwork,
  type OutputLayerChoice,
} from '@vastmax/lm-models';
import {
  checkClassWeights,
  Classifier,
  classifierContent,
  isClassifier,
  readClassifierParts,
  type ClassifierParts,
} from '@vastmax/lm-models/labels';
import { columnCounts, SparseBatches, type CsrRows } from '@vastmax/sparse-data';
import { isStandardInput } from '@vastmax/sparse-data/node';
import { createSubwordTokenizer } from '@vastmax/text-readers';
import { withAutomaticLayer } from '../options/automatic-layer.ts';
import { labelBody, labelOptimizerOf, labelOutputChoice, labelTrainingOptions } from '../options/label-options.ts';
import { withKnownLayer } from '../options/output-layer-choice.ts';
import { featuresOf, type GivenOption, type TrainOptions } from '../options/training-options.ts';
import { createBackendOf, isDataOf, prepareFolder, readRunState, type RunState } from '../run/run-folder.ts';
import { startFromVectors } from '../run/start-from-vectors.ts';
import { fromCheckpoint, trainNetwork } from '../run/train-network.ts';
import { planOfLabels } from '../run/training-plan.ts';
import { UsageError } from '../terminal/errors.ts';
import { Interruption } from '../terminal/interruption.ts';
import { embeddingBytes, type ModelWidths } from './check-labels.ts';
import { describeLabelEvaluation, evaluateLabels, nameOfExamples } from './evaluate-labels.ts';
import { openTrainingData, readLabelledRows, readTrainingData } from './label-data.ts';
import { readPlaces, readsFromDisk } from './points-on-disk.ts';
import { classWeightsText, readLabelWeights } from './label-weights.ts';

/** @param given the options that were on the command line or in a configuration file. */
export async function trainLabels(file: string, options: TrainOptions, given: readonly GivenOption[]): Promise<void> {
  using interruption = new Interruption();
  const { signal } = interruption;
  if (isStandardInput(file) && options.valid !== undefined && isStandardInput(options.valid))
    throw new UsageError(
      'the points and --valid are both standard input, which can be read once; give a file for one of them',
    );
  await using folder = await prepareFolder(options, given, readLabelRun);
  const { resumed } = folder;
  const input = await openTrainingData(file, options, signal);
  using progress = input.progress;
  const body = labelBody(options, given, input.format !== 'xmc');
  const named = resumed === undefined ? withKnownLayer(options) : { ...options, outputLayer: resumed.output.kind };
  const known = resumed?.output ?? (named === undefined ? undefined : labelOutputChoice(named));
  const widths: ModelWidths = {
    embedding: body.embedding,
    output: featuresOf(body),
    bytesPerNumber: options.precision === 'f64' ? 8 : 4,
    moments: createUpdateRule(labelOptimizerOf(options)).slots,
  };
  using data = readsFromDisk(input.format, options, resumed?.configuration['pointsHash'])
    ? await readPlaces(file, input, widths)
    : await readTrainingData(file, input, options, widths, resumed?.classifier);
  progress[Symbol.dispose]();
  const { inputs, targets, labels, texts, fingerprint } = data;
  if (resumed !== undefined && !isDataOf(resumed, fingerprint)) {
    throw new UsageError(
      `${file} does not hold the ${nameOfExamples({ texts })} that ${options.out} was trained on; resume with the same file`,
    );
  }
  const features = inputs.columns;
  const held =
    options.valid === undefined
      ? undefined
      : await readLabelledRows(options.valid, { labels, features, examples: 0, texts }, options, signal);
  const frequencies = columnCounts(targets);
  const weighting = resumed === undefined ? options.classWeights : resumed.options['classWeights'];
  const weights =
    typeof weighting === 'string'
      ? await readLabelWeights(weighting, labels, frequencies, resumed?.classWeights)
      : undefined;
  const { options: chosen, note } =
    named === undefined
      ? withAutomaticLayer(options, {
          job: 'labels',
          classes: targets.columns,
          width: widths.output + 1,
          batch: options.batch,
          targetsPerExample: targets.offsets[targets.rows]! / Math.max(1, targets.rows),
        })
      : { options: named, note: '' };
  const output = known ?? labelOutputChoice(chosen);
  if (weights !== undefined) checkClassWeights(output);
  process.stdout.write(note);

  const precision = resumed?.precision ?? options.precision;
  const batchSize = resumed?.batchSize ?? options.batch;
  const { backend, name: backendName } = await createBackendOf(resumed, options, given, { precision });
  using network: BagNetwork =
    resumed === undefined
      ? await createNetwork(backend, { inputs: features, frequencies }, { body, output })
      : await fromCheckpoint(options.out, (checkpoint) => loadNetwork(backend, checkpoint, { kind: 'bag' }));
  if (resumed === undefined && options.initialVectors !== undefined && texts !== undefined)
    await startFromVectors({ vocabulary: texts.features.vocabulary, network }, options.initialVectors, signal);
  const { output: outputChoice } = network.options;
  const batches = new SparseBatches({
    inputs,
    targets,
    batchSize,
    seed: options.seed,
    targetWeights: outputLayerOf(outputChoice.kind).abilities.targetWeights(outputChoice),
    ...(texts === undefined ? {} : labelledOnly(targets)),
    ...(weights === undefined ? {} : { classWeights: weights.weights }),
  });
  const { examplesPerEpoch } = batches;
  const bucketBytes = embeddingBytes(texts?.features.ngrams.buckets ?? 0, widths);
  const classifier = new Classifier(network, { labels, examples: examplesPerEpoch, texts });
  const content = classifierContent(classifier);
  const isTrained = await trainNetwork(file, options, given, {
    plan: planOfLabels(network, data, texts, bucketBytes),
    batches,
    batchSize,
    training: labelTrainingOptions(chosen, examplesPerEpoch, { occurrences: data.occurrences }),
    resumed,
    chosen,
    backendName,
    content: {
      configuration: { ...content.configuration, pointsHash: fingerprint },
      texts: { ...content.texts, ...weights?.texts },
    },
    signal,
  });
  if (!isTrained || held === undefined) return;
  const evaluation = await evaluateLabels(classifier, held, options.evaluate, signal);
  const what = nameOfExamples(classifier);
  process.stdout.write(`\n${describeLabelEvaluation(`held-out ${what}`, evaluation, what)}`);
}

/** Of texts only those with a label are trained on, as in fastText. */
function labelledOnly({ rows, offsets }: CsrRows): { readonly rows?: Int32Array } {
  const labelled = Int32Array.from({ length: rows }, (_, row) => row).filter(
    (row) => offsets[row + 1]! > offsets[row]!,
  );
  return labelled.length === rows ? {} : { rows: labelled };
}

interface LabelRun extends RunState {
  readonly classifier: ClassifierParts;
  readonly output: OutputLayerChoice;
  /** Those of a file. */
  readonly classWeights?: string;
}

async function readLabelRun(directory: string): Promise<LabelRun> {
  const state = await readRunState(directory);
  if (!isClassifier(state.configuration))
    throw new UsageError(`${directory} holds a model over words, no classifier; leave --model out to go on with it`);
  return await fromCheckpoint(directory, (checkpoint) => {
    const classifier = readClassifierParts(checkpoint, createSubwordTokenizer);
    const hasWeights = checkpoint.textNames.includes(classWeightsText);
    return Promise.resolve({
      ...state,
      classifier,
      output: networkOptionsFrom(checkpoint.configuration).output,
      ...(hasWeights ? { classWeights: checkpoint.text(classWeightsText) } : {}),
    });
  });
}
