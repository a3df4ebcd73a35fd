import { memoryDifference, type Backend } from '@vastmax/linalg-core';
import { expect } from 'vitest';
import type { OutputLayerCase } from './layer-under-test.ts';
import { createMinibatch, createSingleTargets, learningRate, placed, request } from './minibatches.ts';
import { evaluateOn, expectRefusal, stepOn, warmUp } from './observations.ts';

/** How many handles `work` creates on the backend. */
async function handlesCreatedBy(backend: Backend, work: () => Promise<void>): Promise<number> {
  const { createMatrix, createTable, createIndices } = backend;
  let created = 0;
  const counted =
    <Sizes extends number[], Handle>(create: (...sizes: Sizes) => Handle) =>
    (...sizes: Sizes): Handle => {
      created++;
      return create.apply(backend, sizes);
    };
  Object.assign(backend, {
    createMatrix: counted(createMatrix),
    createTable: counted(createTable),
    createIndices: counted(createIndices),
  });
  try {
    await work();
  } finally {
    Object.assign(backend, { createMatrix, createTable, createIndices });
  }
  return created;
}

export const lifetimeCases: readonly OutputLayerCase[] = [
  {
    id: 'lifetime/no-new-handles-after-warm-up',
    run: async (subject) => {
      const backend = subject.backend();
      using layer = await subject.create(backend, request);
      const batches = [6, 1, 9, 3, 0, 4, 9, 2].map((examples, i) => createMinibatch(examples, 450 + i));
      const placedBatches = batches.map((batch) => ({ hidden: placed(backend, batch), targets: batch.targets }));
      const pass = async (): Promise<void> => {
        for (const { hidden, targets } of placedBatches) {
          await layer.step(hidden, targets, { learningRate });
          await layer.evaluate(hidden, targets);
        }
      };
      await pass();
      await pass();
      expect(await handlesCreatedBy(backend, pass), 'handles created by a third pass over the same sizes').toBe(0);
      for (const { hidden } of placedBatches) hidden[Symbol.dispose]();
    },
  },
  {
    id: 'lifetime/dispose-returns-every-handle',
    run: async (subject) => {
      const backend = subject.backend();
      const before = backend.memory();
      const layer = await subject.create(backend, request);
      expect(backend.memory().bytes, 'a layer holds something').toBeGreaterThan(before.bytes);
      await warmUp(layer);
      await evaluateOn(layer, createMinibatch(3, 470));
      await layer.restore(layer.state());
      layer[Symbol.dispose]();
      layer[Symbol.dispose]();
      expect(memoryDifference(backend.memory(), before), 'what is left behind').toEqual({
        matrices: 0,
        tables: 0,
        indices: 0,
        bytes: 0,
      });
    },
  },
  {
    id: 'lifetime/refused-calls-leave-nothing-behind',
    run: async (subject) => {
      const backend = subject.backend();
      using layer = await subject.create(backend, request);
      const batch = createSingleTargets(4, 480);
      // Some scratch is made when draws first need it, which one step may not.
      await warmUp(layer);
      await stepOn(layer, batch);
      const before = backend.memory();
      await expectRefusal(() => stepOn(layer, { ...batch, hidden: batch.hidden.map(() => Number.NaN) }), 'non-finite');
      await expectRefusal(() => stepOn(layer, batch, { learningRate: -1 }), 'bad-option');
      expect(memoryDifference(backend.memory(), before), 'what is left behind').toEqual({
        matrices: 0,
        tables: 0,
        indices: 0,
        bytes: 0,
      });
    },
  },
  {
    id: 'lifetime/use-after-dispose-is-refused',
    run: async (subject) => {
      const backend = subject.backend();
      const layer = await subject.create(backend, request);
      const batch = createSingleTargets(3, 490);
      using hidden = placed(backend, batch);
      using out = backend.createMatrix(3, 1);
      const state = layer.state();
      layer[Symbol.dispose]();
      await expectRefusal(() => layer.step(hidden, batch.targets, { learningRate }), 'disposed');
      await expectRefusal(() => layer.evaluate(hidden, batch.targets), 'disposed');
      await expectRefusal(() => layer.scores(hidden, 0, out), 'disposed');
      await expectRefusal(() => layer.classScores(hidden, Int32Array.of(0, 1, 2), out), 'disposed');
      await expectRefusal(() => layer.classVectors(0, out), 'disposed');
      await expectRefusal(() => layer.state(), 'disposed');
      await expectRefusal(() => layer.restore(state), 'disposed');
    },
  },
];
