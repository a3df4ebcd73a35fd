/** What every job of `bench jobs` is handed. */
import type { Backend } from '@vastmax/linalg-core';
import { TrainingDivergedError, type TrainingEvent } from '@vastmax/lm-models';
import type { ShowStage } from '../reporting/stage-progress.ts';

export interface JobContext {
  readonly backend: Backend;
  /** The folder with the job's data. */
  readonly data: string;
  readonly seed: number;
  /** Of one training at most; its schedule then ends there. The job's own limit unless given. */
  readonly seconds: number | undefined;
  readonly show: ShowStage;
  /** Of the recommenders: whether a model is measured, by its name and its loss; all unless given. */
  readonly wants?: ((model: string, loss: string) => boolean) | undefined;
  /** Of the recommenders: rank the items kept for tuning, and train without them. */
  readonly validation?: boolean;
}

/** Of a finished training. */
export interface Trained {
  readonly seconds: number;
  readonly examples: number;
}

/** Train to the end, saying how far it is. @throws TrainingDivergedError. */
export async function trainToTheEnd(
  trainer: { run(): AsyncIterable<TrainingEvent> },
  stage: string,
  show: ShowStage,
): Promise<Trained> {
  let trained: Trained = { seconds: 0, examples: 0 };
  for await (const event of trainer.run()) {
    if (event.type === 'progress') {
      show(
        stage,
        `${(100 * event.progress).toFixed(0)} % in ${event.seconds.toFixed(0)} s, loss ${event.loss.toFixed(3)}, ${event.examplesPerSecond.toFixed(0)} examples/s`,
      );
    }
    if (event.type === 'finished') trained = { seconds: event.seconds, examples: event.examples };
  }
  return trained;
}

/** Null for a training that diverged, which a bench of several goes on after. */
export async function nullIfDiverged<Result>(training: Promise<Result>): Promise<Result | null> {
  try {
    return await training;
  } catch (error) {
    if (error instanceof TrainingDivergedError) return null;
    throw error;
  }
}
