/** Asynchronously verified steps: the same weights as when each is verified at once, whatever happens in between. */
import { createMatrixFrom, createPlainBackend, gemm, read, write, type Backend } from '@vastmax/linalg-core';
import { csrFromLists } from '@vastmax/sparse-data';
import {
  createFactoredOutputLayer,
  squaredError,
  zLoss,
  type FactoredOutputLayer,
  type FactoredOutputLayerOptions,
} from '@vastmax/spherical-losses';
import {
  exactnessMatrix,
  rebaseCases,
  judgeExactness,
  relativeError,
  runExactness,
  singularCases,
} from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { createCountingBackend } from './counting-backend.ts';
import { denseRunOf } from './dense-run-of.ts';
import { readWeights } from './layer-subjects.ts';

const verifyEachStep = false;

describe('exact against dense f64 SGD', () => {
  const regular = exactnessMatrix().filter(({ form, options }) => form !== 'auto' && (options.weightDecay ?? 0) === 0);
  it.each(regular)('$id', async ({ options }) => {
    const run = { ...options, steps: 500, verifyEachStep };
    const result = await runExactness(run, denseRunOf(run));
    expect(judgeExactness(result, options.precision), JSON.stringify(result)).toMatchObject({ pass: true });
  });

  it.each(rebaseCases())('$id: the weights, when the layer rebases without reading κ', async ({ options }) => {
    const run = { ...options, verifyEachStep };
    const result = await runExactness(run, denseRunOf(run));
    expect(result.counters.rebases).toBeGreaterThan(48);
    // At these rates some steps are singular by themselves: see below.
    expect(judgeExactness({ ...result, gradientError: 0 }, options.precision), JSON.stringify(result)).toMatchObject({
      pass: true,
    });
  });

  it.each(singularCases())('$id: the weights, with twenty singular steps in two hundred', async ({ options }) => {
    const run = { ...options, verifyEachStep };
    const result = await runExactness(run, denseRunOf(run));
    expect(result.counters.singularSteps).toBe(20);
    // Gradients handed out between a singular step and its verification are of the weights before it.
    expect(judgeExactness({ ...result, gradientError: 0 }, options.precision), JSON.stringify(result)).toMatchObject({
      pass: true,
    });
  });
});

async function createLayer(
  backend: Backend,
  options: Partial<FactoredOutputLayerOptions> = {},
): Promise<FactoredOutputLayer> {
  return createFactoredOutputLayer(backend, {
    classes: 60,
    features: 5,
    loss: zLoss(),
    initialScale: 0.3,
    seed: 3,
    verifyEachStep,
    ...options,
  });
}

const batch = (step: number): { hidden: number[]; targets: ReturnType<typeof csrFromLists> } => ({
  hidden: Array.from({ length: 20 }, (_, i) => Math.sin(1 + i * 1.7 + step * 0.9)),
  targets: csrFromLists([[step % 60], [(7 * step) % 60, 3], [11], [(step * step) % 60]], 60),
});

describe('a step that must be refused', () => {
  it('is reported with its number, and the layer is as it was before it', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await createLayer(backend);
    using reference = await createLayer(backend);
    using hidden = backend.createMatrix(4, 5);
    // The number of pending steps has to grow first: 1, 2, 4, 8 and 16.
    for (let step = 0; step < 40; step++) {
      const { hidden: values, targets } = batch(step);
      if (step === 35) values[7] = Number.NaN;
      write(values, hidden);
      await layer.step(hidden, targets, { learningRate: 0.1 });
      if (step < 35) await reference.step(hidden, targets, { learningRate: 0.1 });
    }
    const confirmed = layer.confirmSteps();
    await expect(confirmed).rejects.toMatchObject({ code: 'non-finite' });
    await expect(confirmed).rejects.toThrow('factored step 35: hidden is NaN at example 1, feature 2');
    expect(Array.from(await readWeights(layer))).toEqual(Array.from(await readWeights(reference)));
    expect(layer.counters.steps).toBe(35);
    // And it goes on from there.
    write(batch(50).hidden, hidden);
    for (const one of [layer, reference]) await one.step(hidden, batch(50).targets, { learningRate: 0.1 });
    await layer.confirmSteps();
    expect(Array.from(await readWeights(layer))).toEqual(Array.from(await readWeights(reference)));
  });

  it('is reported by a later step, an evaluation or a verification, too', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const { hidden: values, targets } = batch(1);
    using bad = createMatrixFrom(
      backend,
      4,
      5,
      values.map(() => Number.POSITIVE_INFINITY),
    );
    using good = createMatrixFrom(backend, 4, 5, values);
    const later: readonly ((layer: FactoredOutputLayer) => Promise<unknown>)[] = [
      (layer) => layer.step(good, targets, { learningRate: 0.1 }),
      (layer) => layer.evaluate(good, targets),
      (layer) => layer.verify(),
      (layer) => layer.materialize(),
      (layer) => layer.prepareStep(good, targets, { learningRate: 0.1 }),
    ];
    for (const call of later) {
      using layer = await createLayer(backend);
      await layer.step(bad, targets, { learningRate: 0.1 });
      await expect(call(layer)).rejects.toMatchObject({ code: 'non-finite' });
      await call(layer);
    }
  });

  it('names the rate with which it diverged', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await createLayer(backend, { classes: 40, features: 4, loss: squaredError() });
    using hidden = createMatrixFrom(backend, 2, 4, [1, -2, 0.5, 3, 2, 2, -1, 0]);
    const run = async (): Promise<void> => {
      for (let step = 0; step < 2000; step++)
        await layer.step(hidden, csrFromLists([[3], [7]], 40), { learningRate: 1e6 });
    };
    await expect(run()).rejects.toThrow(/factored step \d+: the squared-error loss .* at learning rate 1000000/);
    expect(Array.from(await readWeights(layer)).every(Number.isFinite), 'the weights left behind are numbers').toBe(
      true,
    );
  });
});

it('keeps what the caller may change', async () => {
  const backend = createPlainBackend({ precision: 'f64' });
  using late = await createLayer(backend, { loss: squaredError() });
  using soon = await createLayer(backend, { loss: squaredError(), verifyEachStep: true });
  using hidden = backend.createMatrix(4, 5);
  using gram = backend.createMatrix(5, 5);
  // The rate grows until steps are singular by themselves, which are done again from what was kept.
  const weights = [1, 0.5, 0, 2];
  for (let step = 0; step < 120; step++) {
    const { hidden: values, targets } = batch(step);
    write(values, hidden);
    const rate = 0.1 + 0.004 * step;
    for (const layer of [late, soon])
      await layer.step(hidden, targets, { learningRate: rate, exampleWeights: weights });
    targets.indices.fill(0);
    weights.reverse();
    write(values.fill(9), hidden);
    gemm(hidden, hidden, gram, { transposeA: true });
  }
  await late.confirmSteps();
  expect(late.counters.steps).toBe(120);
  expect(late.counters.singularSteps).toBeGreaterThan(0);
  expect(relativeError(await readWeights(late), await readWeights(soon))).toBeLessThan(1e-9);
});

it('reads nothing in a step, and once in 16 steps', async () => {
  const { backend, counts, reset } = createCountingBackend('f64');
  using layer = await createLayer(backend);
  using hidden = backend.createMatrix(4, 5);
  const run = async (first: number, end: number): Promise<void> => {
    for (let step = first; step < end; step++) {
      write(batch(step).hidden, hidden);
      await layer.step(hidden, batch(step).targets, { learningRate: 0.05 });
    }
  };
  await run(0, 31);
  await layer.confirmSteps();
  reset();
  await run(31, 31 + 16);
  expect(counts.calls['read'] ?? 0).toBe(0);
  await run(47, 48);
  expect(counts.calls['read']).toBe(1);
  expect(counts.created).toBe(0);
});

describe('a layer with pending steps', () => {
  it('refuses to give its state or take classes, and says what to do', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await createLayer(backend);
    using hidden = createMatrixFrom(backend, 4, 5, batch(0).hidden);
    await layer.step(hidden, batch(0).targets, { learningRate: 0.1 });
    expect(() => layer.state()).toThrow('factored state: 1 steps are not verified yet; await confirmSteps() first');
    expect(() => layer.addClasses([0, 0, 0, 0, 0, 0])).toThrow('await confirmSteps() first');
    await layer.confirmSteps();
    expect(layer.state().configuration['steps']).toBe(1);
  });

  it('forgets them when it takes over another state', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await createLayer(backend);
    using other = await createLayer(backend, { seed: 4 });
    using hidden = createMatrixFrom(
      backend,
      4,
      5,
      batch(0).hidden.map(() => Number.NaN),
    );
    await layer.step(hidden, batch(0).targets, { learningRate: 0.1 });
    await layer.restore(other.state());
    await layer.confirmSteps();
    expect(Array.from(await readWeights(layer))).toEqual(Array.from(await readWeights(other)));
    using read5 = createMatrixFrom(backend, 4, 5, batch(1).hidden);
    await layer.step(read5, batch(1).targets, { learningRate: 0.1 });
    await layer.confirmSteps();
    expect(Array.from(await read(read5))).toEqual(batch(1).hidden);
  });
});

it('needs a backend with a guard', async () => {
  const backend = Object.defineProperty(createPlainBackend(), 'guard', { value: undefined });
  await expect(createLayer(backend)).rejects.toThrow(
    "verifyEachStep is false, but the backend 'plain f32' has no guard",
  );
});
