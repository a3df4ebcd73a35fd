/**
 * A factor on the learning rate as a function of progress in [0, 1]: of the examples to be seen, or of the time
 * allowed.
 */
export type LearningRateSchedule = (progress: number) => number;

export const scheduleNames = ['constant', 'linear', 'cosine'] as const;
export type ScheduleName = (typeof scheduleNames)[number];

export interface ScheduleOptions {
  /** Factor at the end, 0.05 unless given; no effect on `constant`. */
  readonly finalFactor?: number;
  /** Share of the training over which the rate rises linearly from 0; 0 unless given. */
  readonly warmup?: number;
}

/** @throws RangeError for an unknown name or an option out of range. */
export function createSchedule(name: string, options: ScheduleOptions = {}): LearningRateSchedule {
  const { finalFactor = 0.05, warmup = 0 } = options;
  if (!(finalFactor >= 0 && finalFactor <= 1))
    throw new RangeError(`schedule: finalFactor must be from 0 to 1, got ${finalFactor}`);
  if (!(warmup >= 0 && warmup < 1))
    throw new RangeError(`schedule: warmup must be at least 0 and less than 1, got ${warmup}`);
  const shape = shapeOf(name, finalFactor);
  return (progress) => {
    const bounded = Math.min(1, Math.max(0, progress));
    if (bounded < warmup) return bounded / warmup;
    return shape((bounded - warmup) / (1 - warmup));
  };
}

function shapeOf(name: string, finalFactor: number): LearningRateSchedule {
  switch (name) {
    case 'constant':
      return () => 1;
    case 'linear':
      return (progress) => 1 - (1 - finalFactor) * progress;
    case 'cosine':
      return (progress) => finalFactor + (1 - finalFactor) * 0.5 * (1 + Math.cos(Math.PI * progress));
    default:
      throw new RangeError(`no schedule is called '${name}'; there are ${scheduleNames.join(', ')}`);
  }
}
