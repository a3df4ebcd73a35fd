/** What comes out of training: how far it is, where it can go on, and why it cannot. */
import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';

export interface TrainingProgress {
  readonly type: 'progress';
  readonly step: number;
  readonly examples: number;
  readonly totalExamples: number;
  /** Mean loss since the last progress event. */
  readonly loss: number;
  readonly examplesPerSecond: number;
  /** Seconds of training in this run, evaluations and checkpoints left out. */
  readonly seconds: number;
  /** Share of the training that is done, in [0, 1]. */
  readonly progress: number;
  readonly bodyRate: number;
  readonly outputRate: number;
}

export type TrainingEvent =
  | TrainingProgress
  | { readonly type: 'epoch'; readonly epoch: number; readonly step: number }
  | { readonly type: 'interrupted'; readonly step: number; readonly examples: number }
  | { readonly type: 'finished'; readonly step: number; readonly examples: number; readonly seconds: number };

export interface TrainingSnapshot {
  readonly configuration: JsonObject;
  readonly modules: Readonly<Record<string, ModuleState>>;
}

/**
 * Training produced NaN or infinity. The weights are those before the step that failed; where an output layer looks at
 * its steps late, as on a GPU, the body is some steps further.
 */
export class TrainingDivergedError extends Error {
  readonly code = 'diverged';
  readonly step: number;
  readonly bodyRate: number;
  readonly outputRate: number;

  constructor(step: number, bodyRate: number, outputRate: number, cause: Error) {
    super(
      `training diverged at step ${step} (body rate ${bodyRate.toPrecision(3)}, output rate ${outputRate.toPrecision(3)}): ${cause.message}. ` +
        'The last checkpoint is untouched; resume it with a lower --body-rate or --output-rate (try a quarter)',
      { cause },
    );
    this.name = 'TrainingDivergedError';
    this.step = step;
    this.bodyRate = bodyRate;
    this.outputRate = outputRate;
  }
}
