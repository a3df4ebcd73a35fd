/** Training as the terminal sees it: what it will cost, how far it is, a checkpoint now and then, and a stop that loses nothing. */
import { TrainingDivergedError, type LanguageModel, type OutputLayerChoice, type Trainer, type TrainingProgress } from '@vastmax/lm-models';
import type { JsonObject } from '@vastmax/output-layer';
import { describeBackend } from './backend-choice.ts';
import { estimateCost } from './cost-estimate.ts';
import { bytes, count, duration } from './display.ts';
import { Progress } from './progress.ts';
import { saveModel } from './saved-model.ts';
import { TrainingFailure } from './training-failure.ts';

export interface TrainingRun {
  readonly trainer: Trainer;
  /** Where checkpoints go. */
  readonly directory: string;
  /** Seconds of training between two checkpoints. */
  readonly checkpointEvery: number;
  /** Kept in the checkpoint beside the trainer's own. */
  readonly extra: JsonObject;
  readonly signal: AbortSignal;
}

export interface TrainingOutcome {
  readonly interrupted: boolean;
  /** To the end; up to the last report for an interrupted run. */
  readonly seconds: number;
  /** Examples of this run. */
  readonly examples: number;
}

/** To standard output, before the first step. */
export async function printPlan(trainer: Trainer): Promise<void> {
  const { model, batches, options } = trainer;
  const remaining = options.examples - trainer.examples;
  const cost = await estimateCost(model, batches.batchSize, remaining);
  const seconds = Math.min(cost.seconds, options.maximumSeconds ?? Infinity);
  const { output } = model.options;
  const lines = [
    `backend      ${describeBackend(model.backend)}`,
    `vocabulary   ${count(model.vocabulary.size)} words`,
    `output       ${describeOutput(output)}, ${count(cost.outputParameters)} parameters`,
    `body         ${describeBody(model)}, ${count(cost.bodyParameters)} parameters`,
    `memory       ${bytes(cost.bytes)}`,
    `training     ${count(remaining)} examples, minibatches of ${batches.batchSize}, about ${duration(seconds)}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/**
 * Train to the end or to the interruption, and save.
 * @throws TrainingFailure when training diverges, with what to do next.
 */
export async function runTraining(run: TrainingRun): Promise<TrainingOutcome> {
  const { trainer, signal } = run;
  const first = trainer.examples;
  const secondsLeft = ({ seconds, examples, totalExamples }: TrainingProgress): number =>
    Math.min((seconds * (totalExamples - examples)) / (examples - first), (trainer.options.maximumSeconds ?? Infinity) - seconds);
  let saved = 0;
  let savedStep = trainer.step > 0 ? trainer.step : undefined;
  let seconds = 0;
  let interrupted = false;
  const save = async (): Promise<void> => {
    await saveModel(run.directory, trainer.snapshot(), trainer.model.vocabulary, run.extra);
    savedStep = trainer.step;
  };
  try {
    using progress = new Progress('training');
    for await (const event of trainer.run(signal)) {
      if (event.type === 'progress') {
        seconds = event.seconds;
        showProgress(progress, event, secondsLeft(event));
        if (event.seconds - saved >= run.checkpointEvery) {
          await save();
          saved = event.seconds;
        }
      }
      if (event.type === 'interrupted') interrupted = true;
      if (event.type === 'finished') ({ seconds } = event);
    }
  } catch (error) {
    throw error instanceof TrainingDivergedError ? new TrainingFailure(describeDivergence(error, run.directory, savedStep), { cause: error }) : error;
  }
  await save();
  return { interrupted, seconds, examples: trainer.examples - first };
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

function showProgress(progress: Progress, event: TrainingProgress, secondsLeft: number): void {
  const details = [
    `loss ${event.loss.toFixed(3)}`,
    `${count(event.examplesPerSecond)} examples/s`,
    `${count(event.examples)} of ${count(event.totalExamples)} examples`,
  ];
  progress.update(event.progress, details, secondsLeft);
}

function describeBody({ body }: LanguageModel): string {
  const { order, embedding, hidden, activation } = body.options;
  return `${order} words of ${embedding} → ${hidden.map((size) => `${activation} ${size}`).join(' → ')}`;
}

function describeOutput(choice: OutputLayerChoice): string {
  if (choice.kind === 'factored') return `factored, ${choice.loss.name}${describeOptions(Object.entries(choice.loss.options))}`;
  const options = Object.entries(choice).filter(([name]) => !['kind', 'initialScale', 'seed', 'rule'].includes(name));
  return `${choice.kind}${describeOptions('rule' in choice && choice.rule !== undefined ? [...options, ['optimizer', choice.rule.name]] : options)}`;
}

function describeOptions(options: readonly (readonly [name: string, value: unknown])[]): string {
  return options.length === 0 ? '' : ` (${options.map(([name, value]) => `${name} = ${String(value)}`).join(', ')})`;
}
