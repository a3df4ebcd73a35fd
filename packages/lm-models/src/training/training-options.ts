import type { ScheduleOptions } from '../optimizers/learning-rate-schedule.ts';

export interface TrainingOptions {
  /** Rate of the body's optimiser, at schedule factor 1, on the mean loss. */
  readonly bodyRate: number;
  /** Rate of the output layer's own update. */
  readonly outputRate: number;
  /** Name of the body's update rule. */
  readonly optimizer: string;
  readonly optimizerOptions?: Readonly<Record<string, number>>;
  /** The body's gradients are scaled down to this norm, all together; not at all unless given. */
  readonly clipNorm?: number;
  /** λ of the body's decoupled weight decay; 0 unless given. */
  readonly weightDecay?: number;
  readonly schedule: string;
  readonly scheduleOptions?: ScheduleOptions;
  /** Examples in all; the schedule ends there. */
  readonly examples: number;
  /**
   * Stop after so many seconds of training at the latest; the schedule then runs by time. Resumed training has them
   * anew.
   */
  readonly maximumSeconds?: number;
}

/** @throws RangeError naming the option and its value. */
export function checkTrainingOptions(options: TrainingOptions): void {
  for (const [name, value] of [
    ['bodyRate', options.bodyRate],
    ['outputRate', options.outputRate],
  ] as const) {
    if (!Number.isFinite(value) || value < 0)
      throw new RangeError(`trainer: ${name} must be a finite number of at least 0, got ${value}`);
  }
  if (!Number.isSafeInteger(options.examples) || options.examples < 1) {
    throw new RangeError(`trainer: examples must be a whole number of at least 1, got ${options.examples}`);
  }
  if (options.maximumSeconds !== undefined && !(options.maximumSeconds > 0)) {
    throw new RangeError(`trainer: maximumSeconds must be above 0, got ${options.maximumSeconds}`);
  }
}
