import { createMatrixFrom, createPlainBackend, read, type Matrix } from '@vastmax/linalg-core';
import { singleTargets } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, zLoss, type FactoredOutputLayer } from '@vastmax/spherical-losses';
import { expect, it } from 'vitest';

const classes = 40;
const features = 3;
const backend = createPlainBackend({ precision: 'f64' });
const hidden: Matrix = createMatrixFrom(backend, 2, features, [1, -0.5, 2, 0.3, 1, -1]);
const targets = singleTargets(Int32Array.of(7, 31), classes);

function createLayer(): Promise<FactoredOutputLayer> {
  return createFactoredOutputLayer(backend, {
    classes,
    features,
    loss: zLoss({ a: 1, b: 2 }),
    initialScale: 0.5,
    seed: 4,
  });
}

async function weightsOf(layer: FactoredOutputLayer): Promise<number[]> {
  using dense = backend.createMatrix(classes, layer.width);
  layer.denseRows(0, dense);
  return [...(await read(dense))];
}

it('a prepared step that is applied is the step', async () => {
  using stepped = await createLayer();
  using prepared = await createLayer();
  const { losses, hiddenGradient } = await stepped.step(hidden, targets, { learningRate: 0.1 });
  const halves = await (await prepared.prepareStep(hidden, targets, { learningRate: 0.1 })).apply();
  expect(await read(halves.losses)).toEqual(await read(losses));
  expect(await read(halves.hiddenGradient)).toEqual(await read(hiddenGradient));
  expect(await weightsOf(prepared)).toEqual(await weightsOf(stepped));
  expect(prepared.counters.steps).toBe(1);
});

it('a prepared step that is discarded leaves the layer bit for bit as it was', async () => {
  using layer = await createLayer();
  const before = await weightsOf(layer);
  (await layer.prepareStep(hidden, targets, { learningRate: 0.1 })).discard();
  expect(await weightsOf(layer)).toEqual(before);
  expect(layer.counters.steps).toBe(0);
  await layer.step(hidden, targets, { learningRate: 0.1 });
});

it('between its halves the layer is busy, and after a refusal it is not', async () => {
  using layer = await createLayer();
  const prepared = await layer.prepareStep(hidden, targets, { learningRate: 0.1 });
  expect(() => layer.state()).toThrow(expect.objectContaining({ code: 'busy' }));
  await expect(layer.step(hidden, targets, { learningRate: 0.1 })).rejects.toMatchObject({ code: 'busy' });
  await prepared.apply();
  using bad = createMatrixFrom(backend, 2, features, [1, NaN, 2, 0.3, 1, -1]);
  await expect(layer.prepareStep(bad, targets, { learningRate: 0.1 })).rejects.toMatchObject({ code: 'non-finite' });
  expect(layer.state().configuration['steps']).toBe(1);
});
