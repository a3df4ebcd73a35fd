/**
 * What the trainer takes from the ranks that train together; that their model is the one of one process is tested over
 * real ranks.
 */
import { createPlainBackend } from '@vastmax/linalg-core';
import { Trainer, type ModelParameters, type TrainingEvent, type TrainingRanks } from '@vastmax/lm-models';
import { describe, expect, it } from 'vitest';
import { createToyModel, toyBatches, toyTraining } from './toy-language.ts';

/** As if three ranks with the same numbers were there; `change` then has the last word. */
class Triplets implements TrainingRanks {
  readonly rank: number;
  readonly seen: number[][] = [];
  readonly #change: (numbers: Float64Array, step: number) => void;

  constructor(rank: number, change: (numbers: Float64Array, step: number) => void = () => undefined) {
    this.rank = rank;
    this.#change = change;
  }

  begin(): Promise<void> {
    expect(this.seen).toEqual([]);
    return Promise.resolve();
  }

  reduce(parameters: ModelParameters, numbers: Float64Array): Promise<void> {
    this.seen.push(Array.from(numbers));
    for (const { gradient } of parameters.matrices) expect(gradient).toBeDefined();
    for (const { gradients } of parameters.tables) expect(gradients).toHaveLength(1);
    for (let i = 0; i < 2; i++) numbers[i]! *= 3;
    this.#change(numbers, this.seen.length);
    return Promise.resolve();
  }
}

async function run(
  ranks: TrainingRanks,
  changes: Parameters<typeof toyTraining>[1],
  signal?: AbortSignal,
): Promise<{ readonly events: TrainingEvent[]; readonly step: number }> {
  using model = await createToyModel(createPlainBackend(), 'z-loss');
  using trainer = new Trainer(model, toyBatches(), toyTraining('z-loss', changes), { ranks });
  const events: TrainingEvent[] = [];
  for await (const event of trainer.run(signal)) events.push(event);
  return { events, step: trainer.step };
}

describe('training with ranks', () => {
  it('counts the examples and the losses of all', async () => {
    const ranks = new Triplets(1);
    const { events } = await run(ranks, { examples: 32 * 3 * 20 });
    expect(events.at(-1)).toMatchObject({ type: 'finished', step: 20, examples: 32 * 3 * 20 });
    const report = events.find((event) => event.type === 'progress');
    const losses = ranks.seen.reduce((sum, [loss = 0]) => sum + loss, 0);
    expect(report?.type === 'progress' ? report.loss : 0).toBeCloseTo(losses / (32 * 20), 3);
    // Only rank 0 has a clock.
    expect(ranks.seen.every(([, examples, seconds]) => examples === 32 && seconds === 0)).toBe(true);
    const first = new Triplets(0);
    await run(first, { examples: 32 * 3 * 3 });
    expect(first.seen.every(([, , seconds = 0]) => seconds > 0)).toBe(true);
  });

  it('goes by the clock of rank 0 and by the step that every rank stops at', async () => {
    const slow = new Triplets(1, (numbers, step) => {
      numbers[2] = step;
    });
    const { events, step } = await run(slow, { maximumSeconds: 7.5, examples: 1e6 });
    expect(step).toBe(8);
    expect(
      events.filter(({ type }) => type === 'progress').map((event) => (event.type === 'progress' ? event.seconds : 0)),
    ).toEqual([2, 4, 6, 8]);

    const controller = new AbortController();
    controller.abort();
    const own = new Triplets(1);
    const interrupted = await run(own, {}, controller.signal);
    // The others hear of it with the next step, after which all stop.
    expect(own.seen.map(([, , , stop]) => stop)).toEqual([1]);
    expect(interrupted.events.at(-1)).toMatchObject({ type: 'interrupted', step: 1 });

    const other = new Triplets(1, (numbers, at) => {
      numbers[3] = at === 5 ? 1 : 0;
    });
    expect((await run(other, {})).events.at(-1)).toMatchObject({ type: 'interrupted', step: 5 });
  });
});
