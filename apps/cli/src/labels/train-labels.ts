/** `vastmax train --model classifier`: from a file of labelled points to a saved and evaluated model. */
import { Trainer, createNetwork, loadNetwork, outputLayerOf } from '@vastmax/lm-models';
import { columnCounts, SparseBatches } from '@vastmax/sparse-data';
import { isStandardInput } from '@vastmax/sparse-data/node';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { createBackend } from '../options/backend-choice.ts';
import { labelNetworkOptions, labelTrainingOptions } from '../options/label-options.ts';
import type { GivenOption, TrainOptions } from '../options/training-options.ts';
import { backendOf, changedTraining, prepareFolder, readRunState, type RunState } from '../run/run-folder.ts';
import { trainAndSave } from '../run/run-training.ts';
import { ratesOfRun, resumedRates } from '../run/search-rates.ts';
import { describeDryRun, planOfLabels, printPlan } from '../run/training-plan.ts';
import { UsageError } from '../terminal/errors.ts';
import { Interruption } from '../terminal/interruption.ts';
import { checkHeader, checkTrainingLabels } from './check-labels.ts';
import { describeLabelEvaluation, evaluateLabels } from './evaluate-labels.ts';
import {
  fingerprintOfPoints,
  isLabelModel,
  labelModelOf,
  labelOrder,
  labelsText,
  readLabelledPoints,
  readPoints,
  withLabelsInOrder,
} from './label-model.ts';

/** @param given the options that were on the command line or in a configuration file. */
export async function trainLabels(file: string, options: TrainOptions, given: readonly GivenOption[]): Promise<void> {
  using interruption = new Interruption();
  const { signal } = interruption;
  if (isStandardInput(file) && options.valid !== undefined && isStandardInput(options.valid))
    throw new UsageError(
      'the points and --valid are both standard input, which can be read once; give a file for one of them',
    );
  const networkOptions = labelNetworkOptions(options, given);
  await using folder = await prepareFolder(options, given, readLabelRun);
  const { resumed } = folder;
  const { embedding, hidden = [] } = networkOptions.body;
  const points = await readPoints(file, signal, (shape) => {
    checkHeader(file, shape, {
      embedding,
      output: hidden.at(-1) ?? embedding,
      bytesPerNumber: options.precision === 'f64' ? 8 : 4,
    });
  });
  checkTrainingLabels(file, points);
  const fingerprint = fingerprintOfPoints(points);
  if (resumed !== undefined && resumed.configuration['pointsHash'] !== fingerprint) {
    throw new UsageError(
      `${file} does not hold the points that ${options.out} was trained on; resume with the same file`,
    );
  }
  const shape = { features: points.inputs.columns, labels: points.targets.columns };
  const held = options.valid === undefined ? undefined : await readLabelledPoints(options.valid, signal, shape);
  const order = labelOrder(points);
  const ordered = withLabelsInOrder(points, order);

  const precision = resumed?.precision ?? options.precision;
  const batchSize = resumed?.batchSize ?? options.batch;
  const backendName = backendOf(resumed, options, given);
  const backend = await createBackend(backendName, precision);
  using network =
    resumed === undefined
      ? await createNetwork(
          backend,
          { inputs: shape.features, frequencies: columnCounts(ordered.targets) },
          networkOptions,
        )
      : await loadResumed(options.out, (checkpoint) => loadNetwork(backend, checkpoint, { kind: 'bag' }));
  const { output: outputChoice } = network.options;
  const batches = new SparseBatches({
    ...ordered,
    batchSize,
    seed: options.seed,
    targetWeights: outputLayerOf(outputChoice.kind).abilities.targetWeights(outputChoice),
  });
  const { examplesPerEpoch } = batches;
  const { training, configuration: ratesTried } =
    resumed === undefined
      ? await ratesOfRun(options, {
          network,
          batches,
          batchSize,
          training: labelTrainingOptions(options, examplesPerEpoch),
          signal,
        })
      : resumedRates(resumed, changedTraining(resumed, options, given, examplesPerEpoch));
  using trainer = new Trainer(network, batches, training);
  if (resumed !== undefined) await loadResumed(options.out, (checkpoint) => trainer.restore(checkpoint));
  const cost = await printPlan(planOfLabels(network, ordered), trainer, batchSize);
  if (options.dryRun === true) {
    process.stdout.write(describeDryRun(cost));
    return;
  }
  const isTrained = await trainAndSave(file, options, {
    trainer,
    extras: {
      configuration: {
        command: 'train',
        options: { ...(resumed?.options ?? options), backend: backendName },
        exampleSettings: { model: 'classifier' },
        points: examplesPerEpoch,
        pointsHash: fingerprint,
        precision,
        batchSize,
        ...ratesTried,
      },
      texts: { [labelsText]: JSON.stringify([...order]) },
    },
    signal,
  });
  if (!isTrained || held === undefined) return;
  const evaluation = await evaluateLabels(
    labelModelOf(network, order, examplesPerEpoch),
    held,
    options.evaluate,
    signal,
  );
  process.stdout.write(`\n${describeLabelEvaluation('held-out points', evaluation)}`);
}

async function readLabelRun(directory: string): Promise<RunState> {
  const state = await readRunState(directory);
  if (!isLabelModel(state.configuration))
    throw new UsageError(`${directory} holds a model over words, no classifier; leave --model out to go on with it`);
  return state;
}

async function loadResumed<Result>(
  directory: string,
  load: (checkpoint: Awaited<ReturnType<typeof openCheckpoint>>) => Promise<Result>,
): Promise<Result> {
  await using checkpoint = await openCheckpoint(createFileStorage(directory));
  return await load(checkpoint);
}
