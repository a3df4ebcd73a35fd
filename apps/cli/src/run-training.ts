/** Training as the terminal sees it: what it will cost, how far it is, a checkpoint now and then, and a stop that loses nothing. */
import type { LanguageModel, Trainer, TrainingEvent } from '@vastmax/lm-models';
import type { JsonObject } from '@vastmax/output-layer';
import { describeBackend } from './backend-choice.ts';
import { estimateCost } from './cost-estimate.ts';
import { bytes, count, duration } from './display.ts';
import { Progress } from './progress.ts';
import { saveModel } from './saved-model.ts';

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
    `output       ${output.kind}, ${output.loss.name}${describeOptions(output.loss.options)}, ${count(cost.outputParameters)} parameters`,
    `body         ${describeBody(model)}, ${count(cost.bodyParameters)} parameters`,
    `memory       ${bytes(cost.bytes)}`,
    `training     ${count(remaining)} examples, minibatches of ${batches.batchSize}, about ${duration(seconds)}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Train to the end or to the interruption, and save. */
export async function runTraining(run: TrainingRun): Promise<TrainingOutcome> {
  const { trainer, signal } = run;
  const first = trainer.examples;
  let saved = 0;
  let seconds = 0;
  let interrupted = false;
  const save = (): Promise<void> => saveModel(run.directory, trainer.snapshot(), trainer.model.vocabulary, run.extra);
  {
    using progress = new Progress('training');
    for await (const event of trainer.run(signal)) {
      if (event.type === 'progress') {
        seconds = event.seconds;
        showProgress(progress, event);
        if (event.seconds - saved >= run.checkpointEvery) {
          await save();
          saved = event.seconds;
        }
      }
      if (event.type === 'interrupted') interrupted = true;
      if (event.type === 'finished') ({ seconds } = event);
    }
  }
  await save();
  return { interrupted, seconds, examples: trainer.examples - first };
}

function showProgress(progress: Progress, event: Extract<TrainingEvent, { type: 'progress' }>): void {
  const left = event.progress > 0 ? (event.seconds * (1 - event.progress)) / event.progress : undefined;
  const details = `${count(event.examples)} of ${count(event.totalExamples)} examples · loss ${event.loss.toFixed(3)} · ${count(event.examplesPerSecond)} examples/s`;
  progress.update(event.progress, details, left);
}

function describeBody({ body }: LanguageModel): string {
  const { order, embedding, hidden, activation } = body.options;
  return `${order} words of ${embedding} → ${hidden.map((size) => `${activation} ${size}`).join(' → ')}`;
}

function describeOptions(options: Readonly<Record<string, number>>): string {
  const entries = Object.entries(options);
  return entries.length === 0 ? '' : ` (${entries.map(([name, value]) => `${name} = ${value}`).join(', ')})`;
}
