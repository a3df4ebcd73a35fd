import { createPlainBackend, createHostArray, writeRows } from '@vastmax/linalg-core';
import {
  isModelError,
  Trainer,
  TrainingDivergedError,
  type NgramNetwork,
  type TrainingOptions,
} from '@vastmax/lm-models';
import { evaluateRanking } from '@vastmax/lm-models/metrics';
import { isOutputLayerError } from '@vastmax/output-layer';
import { describe, expect, it } from 'vitest';
import { captureSnapshot } from './captured-snapshot.ts';
import { eventsOf } from './run-training.ts';
import { createToyModel, toyBatches, toyTraining } from './toy-language.ts';

async function divergenceOf(trainer: Trainer): Promise<TrainingDivergedError> {
  try {
    await eventsOf(trainer);
  } catch (error) {
    if (error instanceof TrainingDivergedError) return error;
    throw error;
  }
  throw new Error('training did not diverge');
}

/** Of the model; a moment that overflowed on the way to the divergence changed no weight. */
async function nonFiniteWeights(trainer: Trainer): Promise<string[]> {
  const { tensors } = await captureSnapshot(trainer.snapshot());
  const weights = [...tensors].filter(([name]) => !name.startsWith('optimizer/'));
  return weights.filter(([, values]) => !values.every(Number.isFinite)).map(([name]) => name);
}

async function withTrainer<T>(
  loss: string,
  training: Partial<TrainingOptions>,
  use: (trainer: Trainer, model: NgramNetwork) => Promise<T>,
): Promise<T> {
  using model = await createToyModel(createPlainBackend(), loss);
  using trainer = new Trainer(
    model,
    toyBatches(),
    toyTraining(loss, { examples: 64_000, schedule: 'constant', ...training }),
  );
  return await use(trainer, model);
}

describe('training that diverges', () => {
  it.each<[string, Partial<TrainingOptions>]>([
    ['squared-error', { outputRate: 3 }],
    ['squared-error', { outputRate: 30, bodyRate: 0 }],
    ['squared-error', { outputRate: 1, bodyRate: 20 }],
    ['squared-error', { outputRate: 3, bodyRate: 1, optimizer: 'momentum' }],
    ['squared-error', { outputRate: 3, bodyRate: 0.01, optimizer: 'adam' }],
  ])(
    'with the %s and %j says at which step and rates, what to try, and keeps finite weights',
    async (loss, changes) => {
      await withTrainer(loss, changes, async (trainer, model) => {
        const error = await divergenceOf(trainer);
        expect(isModelError(error)).toBe(true);
        expect(error.code).toBe('diverged');
        expect(error.step).toBe(trainer.step);
        expect(error.step).toBeGreaterThan(0);
        const { bodyRate, outputRate } = trainer.options;
        expect([error.bodyRate, error.outputRate]).toEqual([bodyRate, outputRate]);
        expect(error.message).toContain(
          `training diverged at step ${error.step} (body rate ${bodyRate.toPrecision(3)}, output rate ${outputRate.toPrecision(3)}): `,
        );
        expect(error.message).toContain(
          'Checkpoints are untouched; go on from the last one, or start again, with a lower bodyRate or outputRate',
        );
        expect(isOutputLayerError(error.cause)).toBe(true);
        expect(await nonFiniteWeights(trainer)).toEqual([]);
        await evaluateRanking(model, toyBatches({ shuffle: false }), { limit: 10 });
      });
    },
  );

  it('reports NaN that the body puts out, with the output layer untouched', async () => {
    await withTrainer('z-loss', {}, async (trainer, model) => {
      const before = await captureSnapshot(trainer.snapshot());
      const { table } = model.body.embeddings;
      writeRows(createHostArray(model.backend, table.columns).fill(Number.NaN), 1, table);
      const error = await divergenceOf(trainer);
      expect(error.message).toMatch(
        /training diverged at step \d+ \(body rate 2\.00, output rate 0\.200\): .*hidden is NaN at example \d+, feature 0/,
      );
      const after = await captureSnapshot(trainer.snapshot());
      expect(await nonFiniteWeights(trainer)).toEqual(['body/embeddings']);
      expect(error.step).toBe(0);
      for (const [name, values] of after.tensors)
        if (name !== 'body/embeddings') expect(values, name).toEqual(before.tensors.get(name));
    });
  });

  it('goes on from a snapshot taken before', async () => {
    const saved = await withTrainer('squared-error', { examples: 320 }, async (trainer) => {
      await eventsOf(trainer);
      return await captureSnapshot(trainer.snapshot());
    });
    await withTrainer('squared-error', { outputRate: 3 }, async (trainer) => {
      await trainer.restore(saved);
      expect((await divergenceOf(trainer)).step).toBeGreaterThanOrEqual(10);
    });
    await withTrainer('squared-error', { examples: 640 }, async (trainer) => {
      await trainer.restore(saved);
      expect((await eventsOf(trainer)).at(-1)).toMatchObject({ type: 'finished', step: 20 });
    });
  });
});
