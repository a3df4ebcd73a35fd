/**
 * The folder of a training run: whether a model may be written there, and by this process alone, which is checked before
 * anything is read; and the state from which `vastmax train --resume` continues: the settings of the checkpoint, and which of them may be
 * changed.
 */
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  checkSavedShapes,
  networkOptionsFrom,
  trainingOptionsFrom,
  type NetworkOptions,
  type SavedModel,
  type TrainingOptions,
} from '@vastmax/lm-models';
import { savedModule } from '@vastmax/lm-models/distributed';
import { readVocabulary, type ExampleSettings, type TextReading } from '@vastmax/lm-models/text';
import type { Backend, Precision } from '@vastmax/linalg-core';
import type { Vocabulary } from '@vastmax/sparse-data';
import { isClassifier } from '@vastmax/lm-models/labels';
import { recommenderNameOf } from '@vastmax/lm-models/recommenders';
import { createBackend, createTrainingBackend, precisionFrom, threadsOf } from '../options/backend-choice.ts';
import type { GivenOption, TrainOptions } from '../options/training-options.ts';
import { UsageError } from '../terminal/errors.ts';
import { threadsOfRank } from './rank-job.ts';
import { openText } from '../text/open-model.ts';
import { isCheckpointError, lockStorage, openCheckpoint, type Checkpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import type { JsonObject, JsonValue, ModuleState } from '@vastmax/linalg-core/state';

export interface ReplacementRule {
  readonly overwrite: boolean;
  /** Whether a model of this configuration may be replaced without --overwrite. */
  readonly mayReplace?: (configuration: JsonObject) => boolean;
  /** The alternative to --overwrite, for the message. */
  readonly otherwise: string;
}

/**
 * @throws UsageError when the folder contains a model that must not be replaced.
 * @throws CheckpointError `unsupported-version` for a checkpoint that this version cannot replace.
 */
export async function checkOutputFolder(
  directory: string,
  { overwrite, mayReplace, otherwise }: ReplacementRule,
): Promise<void> {
  let found: string;
  try {
    await using checkpoint = await openCheckpoint(createFileStorage(directory));
    const { configuration } = checkpoint;
    if (overwrite || mayReplace?.(configuration) === true) return;
    found = `a model${typeof configuration['step'] === 'number' ? ` (step ${configuration['step']})` : ''}`;
  } catch (error) {
    if (!isCheckpointError(error) || error.code === 'unsupported-version') throw error;
    if (error.code === 'missing' && !(await exists(`${directory}/checkpoint.json`))) return;
    if (overwrite) return;
    found = `a damaged model (${error.message})`;
  }
  throw new UsageError(`${directory} holds ${found}; replace it with --overwrite, ${otherwise}`);
}

/**
 * Keeps other runs from writing into the folder until the lock is disposed. The folder is created, and removed again if
 * nothing was saved: permissions do not tell whether it can be (/proc, disks mounted for reading only).
 * @throws UsageError when the folder cannot be written; CheckpointError `locked` when another run writes there
 */
export async function lockOutputFolder(directory: string): Promise<AsyncDisposable> {
  try {
    return await lockStorage(createFileStorage(directory));
  } catch (error) {
    if (!isCheckpointError(error) || error.code !== 'write-failed') throw error;
    const file = await fileOnTheWay(directory);
    if (file !== undefined)
      throw new UsageError(`--out ${directory}: ${file} is a file; give a folder`, { cause: error });
    const problem = error.cause instanceof Error ? error.cause.message : error.message;
    throw new UsageError(`--out ${directory} cannot be written: ${problem}; give another folder`, { cause: error });
  }
}

/** The folder itself or what should be a folder above it. */
async function fileOnTheWay(directory: string): Promise<string | undefined> {
  for (let path = resolve(directory); ; path = dirname(path)) {
    const stats = await stat(path).catch(() => undefined);
    if (stats !== undefined) return stats.isDirectory() ? undefined : path;
    if (path === dirname(path)) return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** What a run of `vastmax train` goes on with, whatever it does. */
export interface RunOptions {
  readonly precision: Precision;
  /** Options of the first call of `vastmax train`. */
  readonly options: JsonObject;
  /** Configuration of the checkpoint. */
  readonly configuration: JsonObject;
}

/** The part of a checkpoint that describes the training of any model. */
export interface RunState extends RunOptions {
  readonly training: TrainingOptions;
  readonly batchSize: number;
}

/** As RunState, for a model over words. */
export interface ResumedRun extends RunState {
  readonly examples: ExampleSettings;
  readonly network: NetworkOptions;
  readonly text: TextReading;
  readonly vocabulary: Vocabulary;
  /** SHA-256 of the training text's tokens. */
  readonly tokens: JsonValue | undefined;
}

/** @throws CheckpointError, UsageError when the checkpoint is not that of a training run over words. */
export async function readResumedRun(directory: string): Promise<ResumedRun> {
  await using checkpoint = await openCheckpoint(createFileStorage(directory));
  const { configuration } = checkpoint;
  const state = runStateFrom(checkpoint);
  if (isClassifier(configuration))
    throw new UsageError(`${directory} holds a classifier; add --model classifier to go on with it`);
  const recommender = recommenderNameOf(configuration);
  if (recommender !== undefined)
    throw new UsageError(`${directory} holds a recommender; add --model ${recommender} to go on with it`);
  const network = networkOptionsFrom(configuration);
  const vocabulary = readVocabulary(checkpoint);
  const module = (name: string): ModuleState => savedModule(checkpoint, name);
  checkSavedShapes({ module }, { inputs: vocabulary.size, frequencies: vocabulary.counts }, network);
  return {
    ...state,
    ...openText(checkpoint),
    network,
    vocabulary,
    tokens: configuration['tokens'],
  };
}

/** @throws CheckpointError, UsageError when the checkpoint is not that of a training run. */
export async function readRunState(directory: string): Promise<RunState> {
  await using checkpoint = await openCheckpoint(createFileStorage(directory));
  return runStateFrom(checkpoint);
}

function runStateFrom({ configuration, location: directory }: Checkpoint): RunState {
  const { command, training, batchSize, options, quantization } = configuration;
  if (command === 'start')
    throw new UsageError(`${directory} was made by vastmax start, which does not resume; run vastmax start again`);
  if (quantization !== undefined)
    throw new UsageError(
      `${directory} holds a quantized model, which is for prediction; go on with the model that it was made of`,
    );
  if (recommenderNameOf(configuration) === 'factorization')
    throw new UsageError(`${directory} holds a factorization; add --model factorization to go on with it`);
  const isBatchSize = typeof batchSize === 'number' && Number.isSafeInteger(batchSize) && batchSize >= 1;
  if (!isObject(training) || !isBatchSize || batchSize > maxBatchSize) {
    throw new UsageError(
      `${directory}: the checkpoint does not describe a training run; was it written by vastmax train?`,
    );
  }
  return {
    training: trainingOptionsFrom(configuration),
    precision: precisionFrom(configuration),
    batchSize,
    options: isObject(options) ? options : {},
    configuration,
  };
}

/**
 * The checkpoint for a trainer of these minibatches: one that add-classes has written knows no data, and begins with
 * them.
 */
export function savedRun(checkpoint: Checkpoint, batches: { cursor(): object }): SavedModel {
  const { configuration } = checkpoint;
  const module = (name: string): ModuleState => checkpoint.module(name);
  if (configuration['cursor'] !== undefined) return { configuration, module };
  return { configuration: { ...configuration, cursor: { ...batches.cursor() } }, module };
}

/** Whether a run goes on with the data that it was trained on; one whose classes were added takes any. */
export function isDataOf({ configuration }: RunState, fingerprint: string): boolean {
  const { pointsHash } = configuration;
  return pointsHash === undefined || pointsHash === fingerprint;
}

/** Of a checkpoint: a minibatch takes memory for each example. */
const maxBatchSize = 2 ** 20;

const changeable: ReadonlySet<keyof TrainOptions> = new Set([
  'distributed',
  'repairDrift',
  'valid',
  'textColumn',
  'labelFormat',
  'labelColumn',
  'labelSeparator',
  // What they hold is compared.
  'features',
  'featuresArray',
  'labels',
  'validFeatures',
  'validLabels',
  'out',
  'resume',
  'config',
  'dryRun',
  'backend',
  'threads',
  'checkpointEvery',
  'evaluate',
  'log',
  'tensorboard',
  'bodyRate',
  'outputRate',
  // A resumed run has its rates.
  'rates',
  'schedule',
  'finalFactor',
  'examples',
  'epochs',
  'maxMinutes',
]);

export interface PreparedFolder<Run> extends AsyncDisposable {
  /** The run to continue; undefined for a new one. */
  readonly resumed: Run | undefined;
}

/**
 * Checks the folder and locks it until the result is disposed; a new run may then write there.
 * @param read the run of such a model from its folder.
 * @param rank of a job over ranks; rank 0 has the lock.
 */
export async function prepareFolder<Run extends RunOptions>(
  options: TrainOptions,
  given: readonly GivenOption[],
  read: (directory: string) => Promise<Run>,
  rank = 0,
): Promise<PreparedFolder<Run>> {
  const { out, resume = false, overwrite = false } = options;
  if (resume && overwrite)
    throw new UsageError('--resume goes on from the model that --overwrite would replace; give one of them');
  // Where there is no folder there is nothing to resume, and reading says so.
  const lock = rank > 0 || (resume && !(await exists(out))) ? undefined : await lockOutputFolder(out);
  const unlock = async (): Promise<void> => {
    await lock?.[Symbol.asyncDispose]();
  };
  try {
    let resumed: Run | undefined;
    if (resume) {
      resumed = await read(out);
      checkUnchanged(resumed, options, given);
    } else {
      await checkOutputFolder(out, { overwrite, otherwise: 'go on from it with --resume, or give another folder' });
    }
    return { resumed, [Symbol.asyncDispose]: unlock };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** @throws UsageError when an option that determines the model or its data differs from the run's. */
function checkUnchanged(run: RunOptions, options: TrainOptions, given: readonly GivenOption[]): void {
  for (const { name, flag } of given) {
    if (changeable.has(name) || options[name] === 'auto') continue;
    const before = JSON.stringify(run.options[name]);
    const now = JSON.stringify(options[name]);
    if (before === now) continue;
    throw new UsageError(
      `${flag} is ${now ?? 'not set'}, but the run in ${options.out} has ${before ?? 'its default'}; leave ${flag} out, or train a new model in another folder`,
    );
  }
}

/**
 * The backend of this call: another one rounds differently, so a resumed run keeps its own unless one is given.
 */
export function backendOf(
  resumed: RunOptions | undefined,
  options: TrainOptions,
  given: readonly GivenOption[],
): string {
  const before = resumed?.options['backend'];
  return typeof before === 'string' && !given.some(({ name }) => name === 'backend') ? before : options.backend;
}

/**
 * As `backendOf`, created. Only a new run of one process may try a GPU: a resumed one keeps its backend, and ranks must
 * compute alike. Ranks share the cores of a machine.
 * @returns with it the name that the run keeps.
 */
export async function createBackendOf(
  resumed: RunOptions | undefined,
  options: TrainOptions,
  given: readonly GivenOption[],
  { precision, overRanks = false }: { readonly precision: Precision; readonly overRanks?: boolean },
): Promise<{ readonly backend: Backend; readonly name: string }> {
  const name = backendOf(resumed, options, given);
  if (resumed === undefined && !overRanks) return createTrainingBackend(name, precision, threadsOf(options));
  const threads = overRanks && options.threads === undefined ? { threads: threadsOfRank() } : threadsOf(options);
  return { backend: await createBackend(name, precision, threads), name };
}

/** The run's training options with the rates, schedule and length of this call. */
export function changedTraining(
  run: RunState,
  options: TrainOptions,
  given: readonly GivenOption[],
  examplesPerEpoch: number,
): TrainingOptions {
  const isGiven = (name: keyof TrainOptions): boolean => given.some((each) => each.name === name);
  // After add-classes the data is another, of which as many epochs are trained on.
  const { epochs } = run.options;
  const isAnew = run.configuration['cursor'] === undefined && typeof epochs === 'number';
  return {
    ...run.training,
    ...(isAnew ? { examples: epochs * examplesPerEpoch } : {}),
    ...(options.bodyRate === undefined ? {} : { bodyRate: options.bodyRate }),
    ...(options.outputRate === undefined ? {} : { outputRate: options.outputRate }),
    ...(isGiven('schedule') ? { schedule: options.schedule } : {}),
    ...(isGiven('finalFactor')
      ? { scheduleOptions: { ...run.training.scheduleOptions, finalFactor: options.finalFactor } }
      : {}),
    ...(isGiven('epochs') ? { examples: options.epochs * examplesPerEpoch } : {}),
    ...(options.examples === undefined ? {} : { examples: options.examples }),
    ...(options.maxMinutes === undefined ? {} : { maximumSeconds: 60 * options.maxMinutes }),
  };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
