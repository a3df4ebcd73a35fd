/** `vastmax train` with a recommender: from a file of interactions to a saved and evaluated model. */
import { createNetwork, loadNetwork, outputLayerOf } from '@vastmax/lm-models';
import { Recommender, recommenderContent, recommenderNameOf, recommenderOf } from '@vastmax/lm-models/recommenders';
import { isStandardInput } from '@vastmax/sparse-data/node';
import { withAutomaticLayer } from '../options/automatic-layer.ts';
import { dataOptions } from '../options/interaction-options.ts';
import { outputLayerChoiceOf } from '../options/output-layer-choice.ts';
import {
  checkRecommenderOptions,
  recommenderBody,
  recommenderSettingsOf,
  recommenderTrainingOptions,
  withRecommenderLayer,
  type RecommenderBodyKind,
  type RecommenderTrainOptions,
  type TrainedRecommenderOptions,
} from '../options/recommender-options.ts';
import { featuresOf, type GivenOption } from '../options/training-options.ts';
import { createBackendOf, prepareFolder, readRunState, type RunOptions, type RunState } from '../run/run-folder.ts';
import { fromCheckpoint, trainNetwork } from '../run/train-network.ts';
import { planOfRecommender } from '../run/training-plan.ts';
import { UsageError } from '../terminal/errors.ts';
import { Interruption } from '../terminal/interruption.ts';
import { printEvaluation } from './evaluate-recommendations.ts';
import { readRecommenderData, type RecommenderData } from './interaction-data.ts';

/** @param given the options that were on the command line or in a configuration file. */
export async function trainRecommender(
  file: string,
  options: TrainedRecommenderOptions,
  given: readonly GivenOption[],
): Promise<void> {
  checkRecommenderOptions(options, given);
  using interruption = new Interruption();
  const { signal } = interruption;
  await using folder = await prepareFolder(options, given, readRecommenderRun);
  const { resumed } = folder;
  const { data, run } = await readResumedData(file, options, resumed, signal);
  const { users, items, histories, heldOut, fingerprint } = data;
  const body = recommenderBody(run);
  const known = withRecommenderLayer(run);
  const { options: chosen, note } =
    known !== undefined
      ? { options: known, note: '' }
      : withAutomaticLayer(run, {
          job: 'labels',
          classes: items.size,
          width: featuresOf(body) + 1,
          batch: run.batch,
          targetsPerExample: histories.offsets[histories.rows]! / Math.max(1, histories.rows),
        });
  process.stdout.write(note);
  const precision = resumed?.precision ?? options.precision;
  const batchSize = resumed?.batchSize ?? options.batch;
  const { backend, name: backendName } = await createBackendOf(resumed, options, given, { precision });
  const created =
    resumed === undefined
      ? await createNetwork(
          backend,
          { inputs: items.size, frequencies: items.counts },
          { body, output: outputLayerChoiceOf(chosen) },
        )
      : await fromCheckpoint(options.out, (checkpoint) => loadNetwork<RecommenderBodyKind>(backend, checkpoint));
  const settings = recommenderSettingsOf(run);
  using recommender = new Recommender(created, { settings, items, users, histories, heldOut });
  const { network } = recommender;
  const entry = recommenderOf(options.model);
  const { output } = network.options;
  const order = {
    batchSize,
    seed: run.seed,
    targetWeights: outputLayerOf(output.kind).abilities.targetWeights(output),
  };
  const source = entry.trainingBatches(histories, order, settings);
  const trials = entry.trialBatches?.(histories, order);
  const content = recommenderContent(recommender);
  const isTrained = await trainNetwork(file, options, given, {
    plan: planOfRecommender(network, data, settings),
    ...source,
    ...(trials === undefined ? {} : { trials: trials.batches }),
    training: recommenderTrainingOptions(chosen, source.batches.examplesPerEpoch),
    resumed,
    chosen,
    backendName,
    content: { ...content, configuration: { ...content.configuration, interactionsHash: fingerprint } },
    signal,
  });
  if (isTrained) await printEvaluation(recommender, data, options, signal);
}

/**
 * The data of a run, which a resumed one reads as at first.
 * @returns with the options that are then those of the run.
 * @throws UsageError for a resumed run with other data.
 */
export async function readResumedData<Options extends RecommenderTrainOptions>(
  file: string,
  options: Options,
  resumed: RunOptions | undefined,
  signal: AbortSignal,
): Promise<{ readonly data: RecommenderData; readonly run: Options }> {
  if (isStandardInput(file) && options.valid !== undefined && isStandardInput(options.valid))
    throw new UsageError(
      'the interactions and --valid are both standard input, which can be read once; give a file for one of them',
    );
  const run = resumed === undefined ? options : withOptionsOfRun(options, resumed);
  const data = await readRecommenderData(file, run, signal);
  if (resumed !== undefined && resumed.configuration['interactionsHash'] !== data.fingerprint)
    throw new UsageError(
      `${file} does not hold the interactions that ${options.out} was trained on; resume with the same files`,
    );
  return { data, run };
}

async function readRecommenderRun(directory: string): Promise<RunState> {
  const state = await readRunState(directory);
  if (recommenderNameOf(state.configuration) === undefined)
    throw new UsageError(`${directory} holds no recommender; leave --model out to go on with it`);
  return state;
}

/** A resumed run reads its data as at first. */
function withOptionsOfRun<Options extends RecommenderTrainOptions>(
  options: Options,
  { options: first }: RunOptions,
): Options {
  const kept = [...dataOptions, ...modelOptions].filter((name) => first[name] !== undefined);
  return { ...options, ...Object.fromEntries(kept.map((name) => [name, first[name]])) };
}

const modelOptions = ['window', 'steps', 'context', 'embedding', 'hidden', 'seed'] as const;
