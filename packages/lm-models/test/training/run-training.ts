import type { Trainer, TrainingEvent } from '@vastmax/lm-models';
import type { NgramBatches } from '@vastmax/sparse-data';

/** All events of a run. */
export async function eventsOf(trainer: Trainer, signal?: AbortSignal): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for await (const event of trainer.run(signal)) events.push(event);
  return events;
}

/** A signal that is aborted while the minibatch of step `step` (from 1) is being made, so that the step is the last. */
export function abortedDuringStep(batches: NgramBatches, step: number): AbortSignal {
  const controller = new AbortController();
  const next = batches.next.bind(batches);
  let made = 0;
  batches.next = () => {
    if (++made === step) controller.abort();
    return next();
  };
  return controller.signal;
}
