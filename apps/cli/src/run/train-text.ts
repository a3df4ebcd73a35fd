/** `vastmax train`: from a text to a saved and evaluated model. */
import { compareRanks, type Communicator } from '@vastmax/collectives';
import { Trainer } from '@vastmax/lm-models';
import { compareTextData, ownStreams, savedModule } from '@vastmax/lm-models/distributed';
import { isStandardInput } from '@vastmax/sparse-data/node';
import { createTextModel, type TextBatches } from '@vastmax/lm-models/text';
import { trainLabels } from '../labels/train-labels.ts';
import { withAutomaticLayer } from '../options/automatic-layer.ts';
import { withKnownLayer } from '../options/output-layer-choice.ts';
import { compareOptionsOfRanks } from '../options/options-of-ranks.ts';
import { checkNoInteractionOptions } from '../options/interaction-options.ts';
import { isRecommenderName } from '../options/recommender-options.ts';
import { trainFactorization } from '../recommend/train-factorization.ts';
import { trainRecommender } from '../recommend/train-recommender.ts';
import { checkNoLabelOptions } from '../options/label-options.ts';
import { textReadingOf } from '../options/text-options.ts';
import {
  exampleSettingsOf,
  featuresOf,
  type GivenOption,
  networkOptionsOf,
  trainingOptionsOf,
  type TrainOptions,
  wordBody,
  type WordTrainOptions,
} from '../options/training-options.ts';
import { UsageError } from '../terminal/errors.ts';
import { Interruption } from '../terminal/interruption.ts';
import { ignoreBrokenPipe } from '../terminal/standard-output.ts';
import { bytes, count } from '../terminal/terminal.ts';
import { buildVocabulary, encodeText, fingerprint, isStream, TextSource } from '../text/corpus.ts';
import { describeEvaluation, evaluateText } from '../text/evaluate-text.ts';
import { checkDistributable, createDistribution } from './distribution.ts';
import { runAsRank, checkStartedAlone } from './rank-job.ts';
import { changedTraining, createBackendOf, prepareFolder, readResumedRun } from './run-folder.ts';
import { trainAndSave } from './run-training.ts';
import { ratesOfRun, resumedRates } from './search-rates.ts';
import { startFromVectors } from './start-from-vectors.ts';
import { describeDryRun, planOfText, printPlan } from './training-plan.ts';
import type { ModuleState } from '@vastmax/linalg-core/state';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';

/** @param given the options that were on the command line or in a configuration file. */
export async function trainModel(
  textFile: string,
  options: TrainOptions,
  given: readonly GivenOption[],
): Promise<void> {
  ignoreBrokenPipe();
  const trainAs = async (communicator?: Communicator): Promise<void> => {
    if (communicator !== undefined) compareOptionsOfRanks(communicator, options);
    const { model } = options;
    if (!isRecommenderName(model)) checkNoInteractionOptions(given);
    await (model === 'classifier'
      ? trainLabels(textFile, options, given)
      : isRecommenderName(model)
        ? model === 'factorization'
          ? trainFactorization(textFile, { ...options, model }, given)
          : trainRecommender(textFile, { ...options, model }, given)
        : train(textFile, { ...options, model }, given, communicator));
  };
  if (options.distributed === undefined) {
    checkStartedAlone();
    await trainAs();
    return;
  }
  if ((await isStream(textFile)) || (options.valid !== undefined && (await isStream(options.valid))))
    throw new UsageError(
      '--distributed reads texts on every rank; standard input and pipes can be read by one; give a file',
    );
  await runAsRank(trainAs);
}

async function train(
  textFile: string,
  options: WordTrainOptions,
  given: readonly GivenOption[],
  communicator?: Communicator,
): Promise<void> {
  checkNoLabelOptions(given);
  using interruption = new Interruption();
  const { signal } = interruption;
  if (isStandardInput(textFile) && options.valid !== undefined && isStandardInput(options.valid))
    throw new UsageError(
      'the text and --valid are both standard input, which can be read once; give a file for one of them',
    );
  await using folder = await prepareFolder(options, given, readResumedRun, communicator?.rank);
  const { resumed } = folder;
  const examples = resumed?.examples ?? exampleSettingsOf(options);
  const named =
    resumed === undefined ? withKnownLayer(options) : { ...options, outputLayer: resumed.network.output.kind };
  const known = resumed?.network ?? (named === undefined ? undefined : networkOptionsOf(named));
  if (communicator !== undefined && known !== undefined) checkDistributable(known.output);
  const reading = resumed?.text ?? (await textReadingOf(options));
  const { settings: text } = reading;
  // A new run reads the text twice: for the vocabulary, and for the numbers of the words.
  await using source = new TextSource(textFile, {
    column: options.textColumn,
    copy: resumed === undefined && (await isStream(textFile)),
  });
  const vocabulary = resumed?.vocabulary ?? (await buildVocabulary(source, reading, options, signal));
  const tokens = await encodeText(source, vocabulary, reading, signal);
  const tokensHash = fingerprint(tokens);
  if (resumed !== undefined && resumed.tokens !== undefined && resumed.tokens !== tokensHash) {
    throw new UsageError(
      `${textFile} is not the text that ${options.out} was trained on: its ${count(tokens.length)} tokens have the SHA-256 ${tokensHash}, those of the run ${JSON.stringify(resumed.tokens)}; resume with the same text`,
    );
  }
  await using heldSource =
    options.valid === undefined ? undefined : new TextSource(options.valid, { column: options.textColumn });
  const held = heldSource === undefined ? undefined : await encodeText(heldSource, vocabulary, reading, signal);

  const { options: chosen, note } =
    named === undefined
      ? withAutomaticLayer(options, {
          job: 'words',
          classes: vocabulary.size,
          width: featuresOf(wordBody(options)) + 1,
          batch: options.batch,
          overRanks: communicator !== undefined,
        })
      : { options: named, note: '' };
  const networkOptions = known ?? networkOptionsOf(chosen);
  if (communicator !== undefined) checkDistributable(networkOptions.output);
  process.stdout.write(note);
  const precision = resumed?.precision ?? options.precision;
  const batchSize = resumed?.batchSize ?? options.batch;
  const { backend, name: backendName } = await createBackendOf(resumed, options, given, {
    precision,
    overRanks: communicator !== undefined,
  });
  if (communicator !== undefined) {
    compareTextData(communicator, { vocabulary, tokens, heldOut: held, texts: reading.texts });
    // Backends round differently. How many threads each has depends on its machine.
    if (options.repairDrift !== true)
      compareRanks(communicator, '--distributed', { 'the backend': backend.name.replace(/,.*/, '') });
  }
  using distribution =
    communicator === undefined
      ? undefined
      : createDistribution(communicator, backend, { repairsDrift: options.repairDrift === true });
  using model = await createTextModel(backend, vocabulary, examples, networkOptions, distribution?.createOutput);
  if (resumed === undefined && options.initialVectors !== undefined)
    await startFromVectors(model, options.initialVectors, signal);
  const data = { tokens, paddingId: vocabulary.idOf(text.endOfLine) ?? 0 };
  const { batches, ...step } = model.trainingBatches(data, { batchSize, seed: options.seed });
  if (communicator !== undefined) checkStreams(step, batchSize, communicator);
  const { examplesPerEpoch } = batches;
  const { training, configuration: ratesTried } =
    resumed === undefined
      ? await ratesOfRun(options, {
          network: model.network,
          batches,
          batchSize: step.batchSize,
          training: trainingOptionsOf(chosen, examplesPerEpoch),
          communicator,
          signal,
        })
      : resumedRates(resumed, changedTraining(resumed, options, given, examplesPerEpoch));
  using trainer = new Trainer(model.network, distribution?.partsOf(batches) ?? batches, training, distribution);
  if (resumed !== undefined) {
    await using checkpoint = await openCheckpoint(createFileStorage(options.out));
    const saved = (name: string): ModuleState => savedModule(checkpoint, name, communicator);
    await trainer.restore({
      configuration: checkpoint.configuration,
      module: communicator === undefined ? saved : (name) => ownStreams(saved(name), communicator),
    });
  }
  if (communicator !== undefined)
    process.stdout.write(`ranks        ${communicator.description}; sizes below are of one\n`);
  const cost = await printPlan(planOfText(model), trainer, step.batchSize);
  if (options.dryRun === true) {
    process.stdout.write(`text         ${count(tokens.length)} words, ${bytes(tokens.byteLength)} of memory\n`);
    process.stdout.write(describeDryRun(cost));
    return;
  }
  const isTrained = await trainAndSave(textFile, options, {
    trainer,
    extras: {
      configuration: {
        command: 'train',
        options: { ...(resumed?.options ?? chosen), backend: backendName },
        tokens: tokensHash,
        text: { ...text },
        exampleSettings: { ...examples },
        precision,
        batchSize,
        ...ratesTried,
      },
      vocabulary,
      texts: reading.texts,
    },
    communicator,
    signal,
  });
  if (!isTrained || held === undefined) return;
  const evaluation = await evaluateText(model, held, text, options.evaluate, signal);
  process.stdout.write(`\n${describeEvaluation('held-out text', evaluation)}`);
}

/** @throws UsageError for a recurrent model whose minibatches have fewer streams than there are ranks. */
function checkStreams(
  { streams, batchSize: stepSize }: Omit<TextBatches, 'batches'>,
  batchSize: number,
  { size }: Communicator,
): void {
  if (streams === undefined || streams >= size) return;
  const steps = stepSize / streams;
  throw new UsageError(
    `a minibatch of ${batchSize} examples has ${streams} streams of ${steps} steps, fewer than the ${size} ranks; give a --batch of at least ${size * steps}, or fewer --steps`,
  );
}
