/** The preconditioned step against dense f64 SGD, whose P comes from Jacobi's eigenvalue method. */
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { createPlainBackend, write, type Backend } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator } from '@vastmax/sparse-data';
import {
  createFactoredOutputLayer,
  squaredError,
  zLoss,
  type FactoredOutputLayer,
  type FactoredOutputLayerOptions,
  type PreconditionerOptions,
} from '@vastmax/spherical-losses';
import {
  DensePreconditioner,
  exactnessMatrix,
  rebaseCases,
  judgeExactness,
  relativeError,
  runExactness,
  singularCases,
  type ExactnessCase,
  type ExactnessOptions,
  type ExactnessResult,
} from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { createCountingBackend } from './counting-backend.ts';
import { denseRunOf } from './dense-run-of.ts';
import { readWeights } from './layer-subjects.ts';

const powers = [0.5, 1] as const;
/** P differs much from I, and is computed often. */
const withPower = (options: ExactnessOptions, power: 0.5 | 1): ExactnessOptions => ({
  ...options,
  preconditioner: { power, damping: 0.05, decay: 0.9, refreshEvery: 7 },
});

const withPowers = (cases: readonly ExactnessCase[]): (ExactnessCase & { power: 0.5 | 1 })[] =>
  powers.flatMap((power) => cases.map((each) => ({ ...each, power })));

async function run(options: ExactnessOptions, power: 0.5 | 1): Promise<ExactnessResult> {
  const all = withPower(options, power);
  const result = await runExactness(all, denseRunOf(all));
  if (options.precision === 'f64') {
    expect(Math.max(result.weightError, result.gradientError), JSON.stringify(result)).toBeLessThan(1e-12);
  }
  expect(judgeExactness(result, options.precision), JSON.stringify(result)).toMatchObject({ criterion: 'bound' });
  return result;
}

describe('exact against dense f64 SGD with the same P', () => {
  // Without decay the square root, with decay the inverse.
  const cases = exactnessMatrix(300).flatMap((each) => {
    const { targets, weightDecay } = each.options;
    if (each.form === 'auto' || targets !== (weightDecay === 0 ? 3 : 'ragged')) return [];
    return [{ ...each, power: weightDecay === 0 ? 0.5 : 1 } as const];
  });
  it.each(cases)('$id, power $power', async ({ options, power }) => {
    const result = await run(options, power);
    expect(result.movement, 'training moves the weights').toBeGreaterThan(0.01);
  });

  it.each(withPowers(rebaseCases(300)))('$id, power $power', async ({ options, power }) => {
    const { counters } = await run(options, power);
    expect(counters.rebases).toBeGreaterThan(2);
    expect(counters.transformsApplied).toBeGreaterThan(0);
  });

  it.each(withPowers(singularCases()))('$id, power $power: twenty in two hundred', async ({ options, power }) => {
    const { counters } = await run(options, power);
    expect(counters.singularSteps).toBeGreaterThanOrEqual(20);
  });

  it.each(powers)('when steps are verified asynchronously, power %d', async (power) => {
    for (const { options } of exactnessMatrix(100).filter(
      ({ form, options: each }) => form === 'row' && each.precision === 'f64' && each.weightDecay === 0,
    ))
      await run({ ...options, verifyEachStep: false }, power);
    for (const { options } of singularCases().filter(({ options: each }) => each.precision === 'f64')) {
      const all = withPower({ ...options, verifyEachStep: false }, power);
      const result = await runExactness(all, denseRunOf(all));
      expect(result.counters.repeatedSteps).toBeGreaterThan(0);
      expect(result.weightError).toBeLessThan(1e-12);
    }
  });
});

/** Correlated hidden activations of very different scales: the condition of their second moment is about 10⁴. */
function createHidden(seed: number): () => Float64Array {
  const random = new RandomGenerator(seed);
  return () => {
    const values = new Float64Array(12 * 5);
    for (let example = 0; example < 12; example++) {
      const common = random.normal();
      for (let i = 0; i < 5; i++) values[example * 5 + i] = (common + 0.1 * random.normal()) * 2 ** (i - 3);
    }
    return values;
  };
}
const targetsAt = (step: number): ReturnType<typeof csrFromLists> =>
  csrFromLists(
    Array.from({ length: 12 }, (_, i) => [(7 * i + 5 * step) % 40]),
    40,
  );

function createLayer(
  backend: Backend,
  preconditioner?: PreconditionerOptions,
  more: Partial<FactoredOutputLayerOptions> = {},
): Promise<FactoredOutputLayer> {
  return createFactoredOutputLayer(backend, {
    classes: 40,
    features: 5,
    loss: zLoss(),
    initialScale: 0.3,
    ...(preconditioner === undefined ? {} : { preconditioner }),
    ...more,
  });
}

async function train(layer: FactoredOutputLayer, next: () => Float64Array, steps: number): Promise<void> {
  using hidden = layer.backend.createMatrix(12, 5);
  for (let step = 0; step < steps; step++) {
    write(next(), hidden);
    await layer.step(hidden, targetsAt(step), { learningRate: 0.1 });
  }
}

async function matrixOf(layer: FactoredOutputLayer, name: string): Promise<Float64Array> {
  const tensor = layer.state().tensors.find((each) => each.name === name);
  return Float64Array.from((await tensor?.read(0, tensor.rows)) ?? []);
}

describe('P', () => {
  it.each(powers)('is the power of the damped second moment, in f64 and f32: power %d', async (power) => {
    const reference = new DensePreconditioner(6, { power, damping: 1e-3, decay: 0.95, refreshEvery: 50 });
    const next = createHidden(3);
    for (let step = 0; step <= 50; step++) {
      reference.begin();
      reference.end(extended(next()));
    }
    for (const [backend, bound] of [
      [createPlainBackend({ precision: 'f64' }), 1e-11],
      [createPlainBackend(), 1e-3],
      [await createWasmBackend(), 1e-3],
    ] as const) {
      using layer = await createLayer(backend, { power, damping: 1e-3, decay: 0.95, refreshEvery: 50 });
      await train(layer, createHidden(3), 51);
      expect(relativeError(await matrixOf(layer, 'preconditioner'), reference.matrix), backend.name).toBeLessThan(
        bound,
      );
      layer[Symbol.dispose]();
      await backend.dispose();
    }
  });

  it('keeps the mean of hᵀPh at that of hᵀh', async () => {
    using layer = await createLayer(createPlainBackend({ precision: 'f64' }), { power: 1, refreshEvery: 8 });
    await train(layer, createHidden(1), 8);
    const moment = await matrixOf(layer, 'second_moment');
    await train(layer, createHidden(2), 1);
    const matrix = await matrixOf(layer, 'preconditioner');
    const trace = moment.reduce((sum, value, i) => (i % 7 === 0 ? sum + value : sum), 0);
    expect(matrix.reduce((sum, value, i) => sum + value * moment[i]!, 0) / trace).toBeCloseTo(1, 12);
  });

  it('stays I while all hidden activations are 0', async () => {
    using layer = await createLayer(
      createPlainBackend(),
      { power: 0.5, refreshEvery: 2 },
      { bias: false, loss: squaredError() },
    );
    await train(layer, () => new Float64Array(60), 5);
    expect(Array.from(await matrixOf(layer, 'preconditioner'))).toEqual(
      Array.from({ length: 25 }, (_, i) => (i % 6 === 0 ? 1 : 0)),
    );
  });
});

describe('a layer with a preconditioner', () => {
  const preconditioner: PreconditionerOptions = { power: 1, refreshEvery: 4 };

  it('goes on bit for bit from a saved state', async () => {
    const backend = createPlainBackend();
    using layer = await createLayer(backend, preconditioner);
    await train(layer, createHidden(1), 10);
    using copy = await createLayer(backend, preconditioner, { seed: 9 });
    await copy.restore(layer.state());
    for (const one of [layer, copy]) await train(one, createHidden(2), 9);
    expect(Array.from(await readWeights(copy))).toEqual(Array.from(await readWeights(layer)));
    for (const name of ['preconditioner', 'second_moment'])
      expect(Array.from(await matrixOf(copy, name)), name).toEqual(Array.from(await matrixOf(layer, name)));
  });

  it('begins anew from a state without one, and one without takes only the weights', async () => {
    const backend = createPlainBackend();
    using plain = await createLayer(backend);
    await train(plain, createHidden(1), 10);
    using layer = await createLayer(backend, preconditioner);
    await train(layer, createHidden(2), 10);
    const weights = Array.from(await readWeights(layer));
    using other = await createLayer(backend);
    await other.restore(layer.state());
    expect(Array.from(await readWeights(other))).toEqual(weights);
    expect(other.state().tensors.map(({ name }) => name)).not.toContain('preconditioner');
    await layer.restore(plain.state());
    expect(Array.from(await readWeights(layer))).toEqual(Array.from(await readWeights(plain)));
    expect(new Set(await matrixOf(layer, 'second_moment'))).toEqual(new Set([0]));
  });

  it('goes on exactly after rows were added, and after materialize', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await createLayer(backend, preconditioner);
    using changed = await createLayer(backend, preconditioner);
    for (const one of [layer, changed]) await train(one, createHidden(1), 6);
    await changed.materialize();
    for (const one of [layer, changed]) {
      one.addClasses(new Float64Array(6).fill(0.2));
      using hidden = backend.createMatrix(12, 5);
      const next = createHidden(4);
      for (let step = 0; step < 6; step++) {
        write(next(), hidden);
        await one.step(
          hidden,
          csrFromLists(
            Array.from({ length: 12 }, (_, i) => [i < 6 ? 40 : i]),
            41,
          ),
          {
            learningRate: 0.1,
          },
        );
      }
    }
    expect(relativeError(await readWeights(changed), await readWeights(layer))).toBeLessThan(1e-12);
    expect((await layer.verify()).gramDrift).toBeLessThan(1e-12);
  });

  it('keeps P and its statistics when a step is rejected', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    for (const verifyEachStep of [true, false]) {
      using layer = await createLayer(backend, preconditioner, { verifyEachStep });
      using reference = await createLayer(backend, preconditioner);
      for (const one of [layer, reference]) await train(one, createHidden(1), 7);
      const bad = new Float64Array(60).fill(Number.NaN);
      await expect(
        (async () => {
          await train(layer, () => bad, 1);
          await layer.confirmSteps();
        })(),
      ).rejects.toMatchObject({ code: 'non-finite' });
      for (const one of [layer, reference]) await train(one, createHidden(5), 9);
      await layer.confirmSteps();
      expect(Array.from(await readWeights(layer))).toEqual(Array.from(await readWeights(reference)));
    }
  });

  it('creates no handle when P is computed', async () => {
    const { backend, counts, reset } = createCountingBackend('f32');
    for (const power of powers) {
      using layer = await createLayer(backend, { power, refreshEvery: 20 });
      await train(layer, createHidden(1), 10);
      reset();
      await train(layer, createHidden(2), 50);
      expect(counts.calls['solve'], 'P was computed').toBeGreaterThan(51);
      expect(counts.created, "only the test's own matrix").toBe(1);
    }
  });

  it.each([
    [{ power: 2 }, 'preconditioner.power must be 0.5 or 1, got 2'],
    [{ power: 1, damping: 0 }, 'preconditioner.damping must be a finite number of at least 1e-4, got 0'],
    [{ power: 1, decay: 1 }, 'preconditioner.decay must be at least 0 and below 1, got 1'],
    [{ power: 1, refreshEvery: 0.5 }, 'preconditioner.refreshEvery must be a whole number of at least 1, got 0.5'],
  ])('refuses %j', async (options, message) => {
    const created = createLayer(createPlainBackend(), options as PreconditionerOptions);
    await expect(created).rejects.toMatchObject({ code: 'bad-option', message: `factored layer: ${message}` });
  });
});

/** Adds the bias feature to rows of five. */
function extended(hidden: Float64Array): Float64Array {
  return Float64Array.from({ length: 72 }, (_, i) => (i % 6 === 5 ? 1 : hidden[Math.floor(i / 6) * 5 + (i % 6)]!));
}
