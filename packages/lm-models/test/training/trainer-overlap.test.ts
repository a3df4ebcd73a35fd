/** A snapshot, a restore or a second run beside a step is refused: it would mix weights from before and after it. */
import { createPlainBackend } from '@vastmax/linalg-core';
import { Trainer } from '@vastmax/lm-models';
import { expect, it } from 'vitest';
import { captureSnapshot } from './captured-snapshot.ts';
import { eventsOf } from './run-training.ts';
import { createToyModel, toyBatches, toyTraining } from './toy-language.ts';

const training = toyTraining('z-loss', { examples: 3000 });
const busy = { code: 'busy' };

it('a trainer refuses calls beside a step, and goes on as if they had not been', async () => {
  using model = await createToyModel(createPlainBackend(), 'z-loss');
  using trainer = new Trainer(model, toyBatches(), training);
  const saved = await captureSnapshot(trainer.snapshot());
  const running = eventsOf(trainer);
  // In any microtask either the step is under way, or all that a snapshot reads is of one step.
  let refused = 0;
  for (let turn = 0; turn < 200; turn++) {
    try {
      const { step, examples, cursor } = trainer.snapshot().configuration;
      expect([step, cursor]).toEqual([trainer.step, { ...trainer.batches.cursor() }]);
      expect(examples).toBe(trainer.examples);
    } catch (error) {
      expect(error).toMatchObject(busy);
      refused++;
    }
    await undefined;
  }
  expect(refused).toBeGreaterThan(0);
  await running;
  const disturbed = await captureSnapshot(trainer.snapshot());
  using again = await createToyModel(createPlainBackend(), 'z-loss');
  using undisturbed = new Trainer(again, toyBatches(), training);
  await eventsOf(undisturbed);
  expect(disturbed.tensors).toEqual((await captureSnapshot(undisturbed.snapshot())).tensors);
  await trainer.restore(saved);
  expect(trainer.step).toBe(0);
});

it('a restore or a second run beside a step is refused', async () => {
  using model = await createToyModel(createPlainBackend(), 'z-loss');
  using trainer = new Trainer(model, toyBatches(), training);
  const saved = await captureSnapshot(trainer.snapshot());
  const running = eventsOf(trainer);
  await expect(trainer.restore(saved)).rejects.toMatchObject(busy);
  await expect(eventsOf(trainer)).rejects.toMatchObject(busy);
  await running;
});

it('a snapshot is not read after the next step', async () => {
  using model = await createToyModel(createPlainBackend(), 'z-loss');
  using trainer = new Trainer(model, toyBatches(), training);
  const snapshot = trainer.snapshot();
  await captureSnapshot(snapshot);
  await trainer.run().next();
  for (const name of ['body', 'output', 'optimizer'])
    for (const tensor of snapshot.modules[name]?.tensors ?? [])
      await expect(tensor.read(0, tensor.rows), `${name} ${tensor.name}`).rejects.toMatchObject(busy);
});
