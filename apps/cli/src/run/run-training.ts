/**
 * Training with output on the terminal: progress, a checkpoint and a log entry at intervals, a stop at Ctrl-C without
 * loss of progress, and the results at the end.
 */
import { isCommunicatorError, type Communicator, type CommunicatorError } from '@vastmax/collectives';
import { TrainingDivergedError, type Trainer, type TrainingBatch, type TrainingProgress } from '@vastmax/lm-models';
import { writeDistributedCheckpoint } from '@vastmax/lm-models/distributed';
import type { OutputLayer } from '@vastmax/output-layer';
import type { Vocabulary } from '@vastmax/sparse-data';
import { isRecommenderName } from '../options/recommender-options.ts';
import { defaultEvaluated, type TrainOptions } from '../options/training-options.ts';
import { CommandFailure } from '../terminal/errors.ts';
import { bytes, count, duration, Progress, shellWord, warn } from '../terminal/terminal.ts';
import { isLostCheckpoint, saveUntilDone, tensorBytes } from './last-save.ts';
import { type LogEntry, TrainingLog } from './training-log.ts';
import type { JsonObject } from '@vastmax/linalg-core/state';
import { writeCheckpoint, type CheckpointContent } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';

/** A trainer of any network and minibatches. */
export type AnyTrainer = Trainer<TrainingBatch>;

export interface TrainingRun {
  readonly trainer: AnyTrainer;
  /** The folder of checkpoints. */
  readonly directory: string;
  /** Seconds of training between two checkpoints. */
  readonly checkpointEvery: number;
  readonly extras: CheckpointExtras;
  readonly log?: TrainingLog | undefined;
  /** The communicator of the ranks that train together. */
  readonly communicator?: Communicator | undefined;
  /** Whether ranks whose weights have drifted take those of rank 0. */
  readonly repairsDrift?: boolean;
  readonly signal: AbortSignal;
}

/** Data that a command adds to the trainer's own parts of a checkpoint. */
interface CheckpointExtras {
  /** Added to its configuration: how text was read, the precision. */
  readonly configuration: JsonObject;
  /** The vocabulary of a model over words. */
  readonly vocabulary?: Vocabulary;
  /** Beside those of the trainer. */
  readonly modules?: CheckpointContent['modules'];
  readonly texts: Readonly<Record<string, string>>;
}

export interface TrainingOutcome {
  readonly interrupted: boolean;
  /** Seconds of training, up to the end, or up to the last report of an interrupted run. */
  readonly seconds: number;
  /** Examples of this run. */
  readonly examples: number;
}

/**
 * Trains the rest of the run, saves, and prints the results.
 * @param file the text or the points.
 * @returns whether the run reached its end; after an interruption the command to continue is printed and the exit code
 * is set.
 */
export async function trainAndSave(
  file: string,
  options: TrainOptions,
  run: Pick<TrainingRun, 'trainer' | 'extras' | 'communicator' | 'signal'>,
): Promise<boolean> {
  const { trainer, communicator } = run;
  if (trainer.examples >= trainer.options.examples) {
    process.stdout.write(
      `trained      all ${count(trainer.options.examples)} examples of the run already; go on with --epochs or --examples\n`,
    );
    return true;
  }
  const isLogged = (options.log ?? options.tensorboard) !== undefined && (communicator?.rank ?? 0) === 0;
  await using log = isLogged ? await TrainingLog.open(options) : undefined;
  const outcome = await runTraining({
    ...run,
    directory: options.out,
    checkpointEvery: options.checkpointEvery,
    repairsDrift: options.repairDrift === true,
    log,
  });
  // Node converts to kilobytes on every system; on Linux it is VmHWM.
  const peakMemory = bytes(1024 * process.resourceUsage().maxRSS);
  process.stdout.write(`${describeOutcome(outcome)}peak memory  ${peakMemory}\nsaved        ${options.out}\n`);
  if (!outcome.interrupted) return true;
  process.stdout.write(`interrupted at step ${trainer.step}; go on with: vastmax ${resumeCommand(file, options)}\n`);
  process.exitCode = 130;
  return false;
}

/**
 * Trains to the end or to the interruption, and saves. When an intermediate checkpoint cannot be written (a full disk),
 * a warning is printed and training continues; the last checkpoint is tried until it is written.
 * @throws CommandFailure when training diverges, with what to do next; CheckpointError when the user gives up saving.
 */
export async function runTraining(run: TrainingRun): Promise<TrainingOutcome> {
  const { trainer, log, signal } = run;
  const first = trainer.examples;
  const secondsLeft = ({ seconds, examples, totalExamples }: TrainingProgress): number =>
    Math.min(
      (seconds * (totalExamples - examples)) / (examples - first),
      (trainer.options.maximumSeconds ?? Infinity) - seconds,
    );
  let saved = 0;
  let savedStep = trainer.step > 0 ? trainer.step : undefined;
  let seconds = 0;
  let interrupted = false;
  const save = async (): Promise<void> => {
    await saveCheckpoint(run);
    savedStep = trainer.step;
  };
  try {
    using progress = new Progress('training');
    for await (const event of trainer.run(signal)) {
      if (event.type === 'progress') {
        seconds = event.seconds;
        const entry = entryOf(event, trainer.network.output);
        progress.update(event.progress, detailsOf(entry, event.totalExamples), secondsLeft(event));
        await log?.write(entry);
        if (event.seconds - saved >= run.checkpointEvery) {
          await save().catch((error: unknown) => {
            warnOfLostCheckpoint(error, event.step, savedStep);
          });
          saved = event.seconds;
        }
      }
      if (event.type === 'interrupted') interrupted = true;
      if (event.type === 'finished') ({ seconds } = event);
    }
    const { directory, communicator } = run;
    await saveUntilDone(save, { directory, communicator, signal, bytes: tensorBytes(trainer.snapshot().modules) });
  } catch (error) {
    if (error instanceof TrainingDivergedError)
      throw new CommandFailure(describeDivergence(error, run.directory, savedStep), { cause: error });
    // Before the first step it is the ranks' options that differ.
    if (isCommunicatorError(error) && error.code === 'mismatch' && trainer.examples > first)
      throw new CommandFailure(describeDrift(error, run.directory, savedStep), { cause: error });
    throw error;
  }
  return { interrupted, seconds, examples: trainer.examples - first };
}

async function saveCheckpoint({
  trainer,
  directory,
  extras,
  communicator,
  repairsDrift = false,
}: TrainingRun): Promise<void> {
  const snapshot = trainer.snapshot();
  const { configuration, vocabulary, modules, texts } = extras;
  const content: CheckpointContent = {
    configuration: { ...snapshot.configuration, ...configuration },
    modules: { ...snapshot.modules, ...modules },
    texts: { ...texts, ...(vocabulary === undefined ? {} : { 'vocabulary.json': JSON.stringify(vocabulary) }) },
  };
  await (communicator === undefined
    ? writeCheckpoint(createFileStorage(directory), content)
    : writeDistributedCheckpoint(communicator, createFileStorage(directory), content, { allowDrift: repairsDrift }));
}

/** @throws the error, unless it was caused by the disk. */
function warnOfLostCheckpoint(error: unknown, step: number, savedStep: number | undefined): void {
  if (!isLostCheckpoint(error)) throw error;
  warn(
    `no checkpoint of step ${step} (${error.message}); training goes on, ${savedStep === undefined ? 'nothing is saved so far' : `the last one saved is of step ${savedStep}`}`,
  );
}

function describeDivergence(error: TrainingDivergedError, directory: string, savedStep: number | undefined): string {
  const [bodyRate, outputRate] = [error.bodyRate, error.outputRate].map((rate) => rate.toPrecision(3));
  const what = `training diverged at step ${error.step} (body rate ${bodyRate ?? ''}, output rate ${outputRate ?? ''}): ${(error.cause as Error).message}`;
  return savedStep === undefined
    ? `${what}. No checkpoint of this run was saved yet; start again with a lower --body-rate or --output-rate (try a quarter)`
    : `${what}. ${directory} holds the checkpoint of step ${savedStep}; add --resume and a lower --body-rate or --output-rate (try a quarter)`;
}

function describeDrift(error: CommunicatorError, directory: string, savedStep: number | undefined): string {
  return `${error.message}; machines of different kinds round differently: use machines of one kind, or add --repair-drift; ${savedStep === undefined ? 'nothing is saved so far' : `${directory} holds the checkpoint of step ${savedStep}, go on from it with --resume`}`;
}

/** The results in one line, for standard output. */
export function describeOutcome({ interrupted, examples, seconds }: TrainingOutcome): string {
  if (interrupted) return `trained      ${count(examples)} examples\n`;
  return `trained      ${count(examples)} examples in ${duration(seconds)}, ${count(examples / Math.max(1e-9, seconds))} examples/s\n`;
}

function entryOf(event: TrainingProgress, output: OutputLayer): LogEntry {
  const { step, examples, loss, examplesPerSecond, seconds, bodyRate, outputRate } = event;
  const counters = 'counters' in output ? (output.counters as { readonly rebases?: unknown }) : {};
  const rebases = typeof counters.rebases === 'number' ? counters.rebases : null;
  return { step, examples, loss, examplesPerSecond, seconds, bodyRate, outputRate, rebases };
}

/** The most important first. */
function detailsOf({ loss, examplesPerSecond, examples, rebases }: LogEntry, totalExamples: number): string[] {
  return [
    `loss ${loss.toFixed(3)}`,
    `${count(examplesPerSecond)} examples/s`,
    `${count(examples)} of ${count(totalExamples)} examples`,
    ...(rebases === null ? [] : [`${count(rebases)} rebases`]),
  ];
}

/** Files of vectors and their labels. */
function featureArguments({
  features,
  featuresArray,
  labels,
  validFeatures,
  validLabels,
}: TrainOptions): readonly string[] {
  const files = Object.entries({
    '--features': features,
    '--features-array': featuresArray,
    '--labels': labels,
    '--valid-features': validFeatures,
    '--valid-labels': validLabels,
  });
  return files.flatMap(([flag, file]) => (file === undefined ? [] : [flag, file]));
}

/** Every option that is not in the checkpoint and changes what comes out. */
export function resumeCommand(file: string, options: TrainOptions): string {
  const { out, model, valid, textColumn, distributed, log, tensorboard, evaluate, backend, repairDrift } = options;
  const { labelFormat, labelColumn, labelSeparator, threads } = options;
  const words = [
    'train',
    ...(options.features === undefined
      ? // A pipe of the shell, as of `<(…)`, is gone when the command has ended.
        [/^\/(?:dev|proc\/self)\/(?:stdin|fd\/\d+)$/.test(file) ? '-' : file]
      : featureArguments(options)),
    '-o',
    out,
    ...(model === 'classifier' || isRecommenderName(model) ? ['--model', model] : []),
    ...(valid === undefined ? [] : ['--valid', valid]),
    ...(textColumn === 'text' ? [] : ['--text-column', textColumn]),
    ...(labelFormat === undefined ? [] : ['--label-format', labelFormat]),
    ...(labelColumn === undefined ? [] : ['--label-column', labelColumn]),
    ...(labelSeparator === undefined ? [] : ['--label-separator', labelSeparator]),
    ...(evaluate === defaultEvaluated ||
    (!isRecommenderName(model) && (valid ?? options.validFeatures ?? options.holdOut) === undefined)
      ? []
      : ['--evaluate', String(evaluate)]),
    ...(log === undefined ? [] : ['--log', log]),
    ...(tensorboard === undefined ? [] : ['--tensorboard', tensorboard]),
    ...(backend === 'auto' ? [] : ['--backend', backend]),
    ...(threads === undefined ? [] : ['--threads', String(threads)]),
    ...(distributed === undefined ? [] : ['--distributed', distributed]),
    ...(repairDrift === undefined ? [] : ['--repair-drift']),
    '--resume',
  ];
  return words.map(shellWord).join(' ');
}
