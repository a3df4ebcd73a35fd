/**
 * Training that was stopped at any step, saved, and resumed by a fresh trainer is the training that was never stopped,
 * bit for bit.
 */
import { createPlainBackend } from '@vastmax/linalg-core';
import { Trainer, type NgramNetwork, type TrainingOptions } from '@vastmax/lm-models';
import { describe, expect, it } from 'vitest';
import { captureSnapshot, type CapturedSnapshot } from './captured-snapshot.ts';
import { abortedDuringStep, eventsOf } from './run-training.ts';
import { createToyModel, toyBatches, toyModelOptions, toyTraining } from './toy-language.ts';

interface Run {
  readonly loss: string;
  readonly dropout: number;
  readonly training: TrainingOptions;
}

/** 1000 examples an epoch, so that its last minibatch has 8: the run crosses epochs. */
const epoch = 1000;

async function uninterrupted(run: Run): Promise<CapturedSnapshot> {
  using model = await createToyModel(createPlainBackend(), run.loss, { dropout: run.dropout });
  using trainer = new Trainer(model, toyBatches({ examples: epoch }), run.training);
  await eventsOf(trainer);
  return await captureSnapshot(trainer.snapshot());
}

async function stoppedAt(run: Run, step: number): Promise<CapturedSnapshot> {
  using model = await createToyModel(createPlainBackend(), run.loss, { dropout: run.dropout });
  const batches = toyBatches({ examples: epoch });
  using trainer = new Trainer(model, batches, run.training);
  const events = await eventsOf(trainer, abortedDuringStep(batches, step));
  expect(events.at(-1)).toMatchObject({ type: 'interrupted', step });
  return await captureSnapshot(trainer.snapshot());
}

/** A fresh process: another backend, another model and other minibatches, all with other seeds. */
async function resumed(run: Run, saved: CapturedSnapshot): Promise<CapturedSnapshot> {
  using model = await createToyModel(createPlainBackend(), run.loss, { dropout: run.dropout, seed: 1234 });
  using trainer = new Trainer(model, toyBatches({ examples: epoch, seed: 999 }), run.training);
  await trainer.restore(saved);
  expect([trainer.step, trainer.examples]).toEqual([saved.configuration['step'], saved.configuration['examples']]);
  await eventsOf(trainer);
  return await captureSnapshot(trainer.snapshot());
}

function expectSameTensors(actual: CapturedSnapshot, expected: CapturedSnapshot): void {
  expect([...actual.tensors.keys()].sort()).toEqual([...expected.tensors.keys()].sort());
  for (const [name, values] of expected.tensors) expect(actual.tensors.get(name), name).toEqual(values);
  for (const key of ['step', 'examples', 'cursor'])
    expect(actual.configuration[key], key).toEqual(expected.configuration[key]);
  expect(actual.module('body').configuration['dropoutRandom']).toEqual(
    expected.module('body').configuration['dropoutRandom'],
  );
}

const runs: readonly (readonly [string, Run, readonly number[]])[] = [
  [
    'the z-loss and sgd',
    { loss: 'z-loss', dropout: 0, training: toyTraining('z-loss', { examples: 3000 }) },
    [1, 37, 64],
  ],
  [
    'adam, dropout and a cosine',
    {
      loss: 'spherical-softmax',
      dropout: 0.2,
      training: toyTraining('spherical-softmax', {
        examples: 2500,
        optimizer: 'adam',
        bodyRate: 0.01,
        schedule: 'cosine',
        scheduleOptions: { warmup: 0.1 },
      }),
    },
    [3, 50],
  ],
  [
    'momentum and dropout',
    {
      loss: 'taylor-softmax',
      dropout: 0.1,
      training: toyTraining('taylor-softmax', { examples: 2500, optimizer: 'momentum', bodyRate: 1 }),
    },
    [41],
  ],
  [
    'adagrad',
    {
      loss: 'z-loss',
      dropout: 0,
      training: toyTraining('z-loss', { examples: 2500, optimizer: 'adagrad', bodyRate: 0.1 }),
    },
    [33],
  ],
  [
    'the squared error, rebases before and after',
    {
      loss: 'squared-error',
      dropout: 0,
      training: toyTraining('squared-error', { examples: 6000, outputRate: 0.05, schedule: 'constant' }),
    },
    [101],
  ],
];

describe.each(runs)('a resumed run with %s', (_name, run, steps) => {
  it('ends as the uninterrupted one, wherever it was stopped', async () => {
    const expected = await uninterrupted(run);
    for (const step of steps) {
      const saved = await stoppedAt(run, step);
      expect(saved.tensors.get('body/embeddings')).not.toEqual(expected.tensors.get('body/embeddings'));
      if (run.loss === 'squared-error') {
        const generation = Number(saved.module('output').configuration['generation']);
        expect(generation).toBeGreaterThan(3);
        expect(expected.module('output').configuration['generation']).toBeGreaterThan(generation + 3);
        expect([...saved.tensors.keys()].some((name) => name.includes('ladder'))).toBe(true);
      }
      expectSameTensors(await resumed(run, saved), expected);
    }
  });
});

describe('Trainer.restore', () => {
  const run = runs[0]![1];
  const fresh = (model: NgramNetwork, changes: Partial<TrainingOptions> = {}): Trainer =>
    new Trainer(model, toyBatches({ examples: epoch }), { ...run.training, ...changes });

  it('describes the model and the training in the snapshot', async () => {
    const { configuration } = await stoppedAt(run, 5);
    expect(configuration).toEqual({
      model: toyModelOptions('z-loss'),
      training: run.training,
      cursor: { epoch: 0, position: 160, seed: 4, examples: 1000 },
      step: 5,
      examples: 160,
    });
  });

  it('refuses counters that are none, another optimizer, other data and another model', async () => {
    const saved = await stoppedAt(run, 5);
    using model = await createToyModel(createPlainBackend(), 'z-loss');
    using trainer = fresh(model);
    await expect(trainer.restore({ ...saved, configuration: { ...saved.configuration, step: null } })).rejects.toThrow(
      "the checkpoint's counters are step null and examples 160, expected whole numbers",
    );
    using adam = fresh(model, { optimizer: 'adam' });
    await expect(adam.restore(saved)).rejects.toThrow("the checkpoint's optimizer is 'sgd', this one is 'adam'");
    using otherData = new Trainer(model, toyBatches({ examples: 900 }), run.training);
    await expect(otherData.restore(saved)).rejects.toMatchObject({ code: 'bad-cursor' });
    using otherModel = await createToyModel(createPlainBackend(), 'taylor-softmax');
    using other = fresh(otherModel);
    await expect(other.restore(saved)).rejects.toMatchObject({
      code: 'state-mismatch',
      message: expect.stringContaining("'loss' is"),
    });
  });
});
