/**
 * Training as the terminal sees it: how far it is, a checkpoint and a log entry now and then, and a stop that loses
 * nothing.
 */
import type { Communicator } from '@vastmax/collectives';
import { TrainingDivergedError, type TrainingProgress } from '@vastmax/lm-models';
import type { OutputLayer } from '@vastmax/output-layer';
import { count, duration } from './display.ts';
import { Progress } from './progress.ts';
import { saveModel, type SavedExtras } from './saved-model.ts';
import { TrainingFailure } from './training-failure.ts';
import type { TrainingLog } from './training-log.ts';
import type { AnyTrainer } from './any-trainer.ts';
import { warn } from './warning.ts';
import { isCheckpointError } from '@vastmax/checkpoints';

export interface TrainingRun {
  readonly trainer: AnyTrainer;
  /** Where checkpoints go. */
  readonly directory: string;
  /** Seconds of training between two checkpoints. */
  readonly checkpointEvery: number;
  readonly extras: SavedExtras;
  readonly log?: TrainingLog;
  /** Of the ranks that train together. */
  readonly communicator?: Communicator | undefined;
  readonly signal: AbortSignal;
}

export interface TrainingOutcome {
  readonly interrupted: boolean;
  /** To the end; up to the last report for an interrupted run. */
  readonly seconds: number;
  /** Examples of this run. */
  readonly examples: number;
}

/**
 * Train to the end or to the interruption, and save. A checkpoint on the way that cannot be written (a full disk) is
 * warned of, and training goes on; the last one must be.
 * @throws TrainingFailure when training diverges, with what to do next; CheckpointError when the end cannot be saved.
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
    await saveModel(run.directory, trainer.snapshot(), run.extras, run.communicator);
    savedStep = trainer.step;
  };
  try {
    using progress = new Progress('training');
    for await (const event of trainer.run(signal)) {
      if (event.type === 'progress') {
        seconds = event.seconds;
        const generationsClosed = generationsOf(trainer.model.output);
        showProgress(progress, event, secondsLeft(event), generationsClosed);
        await log?.write(entryOf(event, generationsClosed));
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
  } catch (error) {
    throw error instanceof TrainingDivergedError
      ? new TrainingFailure(describeDivergence(error, run.directory, savedStep), { cause: error })
      : error;
  }
  await save();
  return { interrupted, seconds, examples: trainer.examples - first };
}

/** @throws what is no failure of the disk. */
function warnOfLostCheckpoint(error: unknown, step: number, savedStep: number | undefined): void {
  if (!isCheckpointError(error) || error.code !== 'write-failed') throw error;
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

/** One line, for standard output. */
export function describeOutcome({ interrupted, examples, seconds }: TrainingOutcome): string {
  if (interrupted) return `trained      ${count(examples)} examples\n`;
  return `trained      ${count(examples)} examples in ${duration(seconds)}, ${count(examples / Math.max(1e-9, seconds))} examples/s\n`;
}

function showProgress(
  progress: Progress,
  event: TrainingProgress,
  secondsLeft: number,
  generationsClosed: number | null,
): void {
  const details = [
    `loss ${event.loss.toFixed(3)}`,
    `${count(event.examplesPerSecond)} examples/s`,
    `${count(event.examples)} of ${count(event.totalExamples)} examples`,
    ...(generationsClosed === null ? [] : [`${count(generationsClosed)} generations closed`]),
  ];
  progress.update(event.progress, details, secondsLeft);
}

function entryOf(
  { step, examples, loss, examplesPerSecond, seconds, bodyRate, outputRate }: TrainingProgress,
  generationsClosed: number | null,
): Parameters<TrainingLog['write']>[0] {
  return { step, examples, loss, examplesPerSecond, seconds, bodyRate, outputRate, generationsClosed };
}

/** Null for layers that have none. */
function generationsOf(output: OutputLayer): number | null {
  const counters = 'counters' in output ? (output.counters as { readonly generationsClosed?: unknown }) : {};
  return typeof counters.generationsClosed === 'number' ? counters.generationsClosed : null;
}
