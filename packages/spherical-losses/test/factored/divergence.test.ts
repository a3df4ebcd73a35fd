import { createMatrixFrom, createPlainBackend } from '@vastmax/linalg-core';
import { csrFromLists } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, squaredError, zLoss } from '@vastmax/spherical-losses';
import { describe, expect, it } from 'vitest';
import { readWeights } from './layer-subjects.ts';

describe('divergence', () => {
  it.each(['f64', 'f32'] as const)(
    'names step and rate, and leaves the weights of the step before: %s',
    async (precision) => {
      const backend = createPlainBackend({ precision });
      using layer = await createFactoredOutputLayer(backend, {
        classes: 40,
        features: 4,
        loss: squaredError(),
        initialScale: 0.3,
      });
      using hidden = createMatrixFrom(backend, 2, 4, [1, -2, 0.5, 3, 2, 2, -1, 0]);
      const targets = csrFromLists([[3], [7]], 40);
      let before: number[] = [];
      let steps = 0;
      let caught: unknown;
      try {
        for (; steps < 2000; steps++) {
          before = Array.from(await readWeights(layer));
          await layer.step(hidden, targets, { learningRate: 1e6 });
        }
      } catch (error) {
        caught = error;
      }
      expect(caught).toMatchObject({ code: 'diverged' });
      expect(String(caught)).toContain(`step ${steps}:`);
      expect(String(caught)).toContain('learning rate 1000000');
      expect(String(caught)).toContain('try 250000');
      expect(before.every(Number.isFinite), 'the weights left behind are numbers').toBe(true);
      expect(Array.from(await readWeights(layer))).toEqual(before);
      expect(layer.counters.steps).toBe(steps);
    },
  );

  it('says of a Z-loss from zero weights that a random start is missing', async () => {
    const backend = createPlainBackend();
    using layer = await createFactoredOutputLayer(backend, {
      classes: 40,
      features: 4,
      loss: zLoss(),
      initialScale: 0,
    });
    using hidden = createMatrixFrom(backend, 1, 4, [1, -2, 0.5, 3]);
    const step = layer.step(hidden, csrFromLists([[3]], 40), { learningRate: 0.1 });
    await expect(step).rejects.toMatchObject({ code: 'diverged' });
    await expect(step).rejects.toThrow(
      /step 0: the z-loss loss of example 0 is NaN .* a random start with a larger initialScale/,
    );
    expect(Array.from(await readWeights(layer)).every((weight) => weight === 0)).toBe(true);
  });
});
