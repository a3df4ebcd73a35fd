/** Decay of touched rows and spread-out regularisation against dense f64 SGD with the same. */
import { createMatrixFrom, createPlainBackend, read, write, type Backend } from '@vastmax/linalg-core';
import { singleTargets, type CsrRows } from '@vastmax/sparse-data';
import {
  createFactoredOutputLayer,
  squaredError,
  type FactoredOutputLayerOptions,
  type UpdateForm,
} from '@vastmax/spherical-losses';
import { DenseReference, relativeError, type ReferenceLoss } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { cpuBackends } from '../cpu-backends.ts';
import { factoredLoss, runDense, type DenseRunOptions } from '../../src/testing/exactness-run.ts';

const [classes, width] = [60, 6];
const frequencies = Float64Array.from({ length: classes }, (_, i) => 1 + ((i * 7) % 13));

type Regularizers = Pick<FactoredOutputLayerOptions, 'rowDecay' | 'spreadOut' | 'weightDecay' | 'reduction'>;

/** The two regularisers by their definitions, on dense weights. */
function regularize(
  weights: Float64Array,
  targets: CsrRows,
  learningRate: number,
  { rowDecay, spreadOut = 0, weightDecay = 0, reduction }: Regularizers,
): void {
  if (rowDecay !== undefined) {
    const { strength, power = 1 } = rowDecay;
    const examplesWith = new Map<number, number>();
    for (let j = 0; j < targets.rows; j++)
      for (const target of new Set(targets.indices.subarray(targets.offsets[j], targets.offsets[j + 1])))
        examplesWith.set(target, (examplesWith.get(target) ?? 0) + 1);
    for (const [target, count] of examplesWith) {
      const perExample = (learningRate * strength) / (reduction === 'sum' ? 1 : targets.rows);
      const decay = perExample * count * frequencies[target]! ** (power - 1);
      for (let i = 0; i < width; i++) weights[target * width + i]! *= 1 - decay;
    }
  }
  if (spreadOut !== 0) {
    const gram = new Float64Array(width * width);
    for (let k = 0; k < classes; k++)
      for (let i = 0; i < width; i++)
        for (let j = 0; j < width; j++) gram[i * width + j]! += weights[k * width + i]! * weights[k * width + j]!;
    for (let k = 0; k < classes; k++) {
      const row = weights.slice(k * width, (k + 1) * width);
      for (let j = 0; j < width; j++)
        for (let i = 0; i < width; i++)
          weights[k * width + j]! -= 4 * learningRate * spreadOut * row[i]! * gram[i * width + j]!;
    }
  }
  for (let i = 0; i < weights.length; i++) weights[i]! *= 1 - learningRate * weightDecay;
}

const squared: ReferenceLoss = { name: 'squared-error', targetValue: 1 };
const runs: readonly (readonly [string, Partial<DenseRunOptions> & { loss: ReferenceLoss }])[] = [
  ['squared error, many rebases', { loss: squared, learningRate: 0.06, targets: 3 }],
  ['squared error, singular steps', { loss: squared, learningRate: 0.01, batch: 1, singularEvery: 10, targets: 3 }],
  ['implicit', { loss: { name: 'implicit', unobservedWeight: 0.05 }, targets: 'ragged' }],
  ['rgx', { loss: { name: 'rgx', pull: 1, interaction: 0.2 }, targets: 3 }],
];
const regularizers: readonly Regularizers[] = [
  { rowDecay: { strength: 2 } },
  { rowDecay: { strength: 0.3, power: 0.5, frequencies }, reduction: 'sum' },
  { spreadOut: 0.02 },
  { rowDecay: { strength: 1, power: 2, frequencies }, spreadOut: 0.01, weightDecay: 0.01 },
];

describe.each(cpuBackends)('regularisers on %s', (backendName, create) => {
  // All at once on the backends that only compute in another order.
  const isPlain = backendName.startsWith('plain');
  const cases = runs.flatMap(([name, options]) =>
    regularizers.flatMap((regularizer, which) =>
      (['small-batch', 'row'] as const)
        .filter(() => isPlain || which === regularizers.length - 1)
        .map((form) => ({ name, options, which, regularizer, form })),
    ),
  );
  it.each(cases)('are exact over 150 steps: $name, $which, $form', async ({ options, regularizer, form }) => {
    const backend = await create();
    await expectExact(backend, options, regularizer, form);
    await backend.dispose();
  });
});

async function expectExact(
  backend: Backend,
  given: Partial<DenseRunOptions> & { loss: ReferenceLoss },
  regularizer: Regularizers,
  form: UpdateForm,
): Promise<void> {
  const { precision } = backend;
  const reduction = regularizer.reduction ?? 'mean';
  const options = {
    ...{ precision, classes, width, batch: 6, targets: 3, steps: 150, learningRate: 0.01, initialScale: 0.3 },
    ...given,
  } satisfies DenseRunOptions;
  const learningRate = reduction === 'sum' ? options.learningRate / options.batch : options.learningRate;
  const { batches, start } = runDense({ ...options, learningRate: options.learningRate });
  const dense = new DenseReference(start.slice(), width, options.loss);
  using layer = await createFactoredOutputLayer(backend, {
    classes,
    features: width,
    bias: false,
    loss: factoredLoss(options.loss),
    initialRows: (first, count) => start.subarray(first * width, (first + count) * width),
    form,
    ...regularizer,
  });
  using hiddenMatrix = backend.createMatrix(options.batch, width);
  const bound = precision === 'f64' ? 1e-11 : 5e-5;
  for (const { hidden, targets } of batches) {
    write(hidden, hiddenMatrix);
    const { hiddenGradient } = await layer.step(hiddenMatrix, targets, { learningRate });
    const expected = dense.step(hidden, targets, learningRate, { reduction }).hiddenGradient;
    expect(relativeError(await read(hiddenGradient), expected)).toBeLessThan(bound);
    regularize(dense.weights, targets, learningRate, regularizer);
  }
  await layer.confirmSteps();
  using weights = backend.createMatrix(classes, width);
  layer.denseRows(0, weights);
  expect(relativeError(await read(weights), dense.weights)).toBeLessThan(bound);
  expect(relativeError(dense.weights, start)).toBeGreaterThan(0.1);
  const { gramDrift, columnSumDrift } = await layer.verify();
  expect(Math.max(gramDrift, columnSumDrift)).toBeLessThan(bound);
  if (given.singularEvery !== undefined) expect(layer.counters.singularSteps).toBeGreaterThan(0);
}

describe('options of regularisers', () => {
  const backend = createPlainBackend();
  const create = (options: Regularizers): ReturnType<typeof createFactoredOutputLayer> =>
    createFactoredOutputLayer(backend, { classes, features: 3, loss: squaredError(), initialScale: 1, ...options });

  it.each([
    [{ spreadOut: -1 }, 'spreadOut must be a finite number of at least 0, got -1'],
    [{ rowDecay: { strength: Number.NaN } }, 'rowDecay.strength must be a finite number of at least 0, got NaN'],
    [{ rowDecay: { strength: 1, power: 0.5 } }, 'rowDecay.power 0.5 needs rowDecay.frequencies'],
    [{ rowDecay: { strength: 1, frequencies: [1, 2] } }, 'rowDecay has 2 frequencies, the layer 60 classes'],
    [
      { rowDecay: { strength: 1, frequencies: new Float64Array(classes) } },
      'rowDecay.frequencies must be above 0, that of class 0 is 0',
    ],
  ])('are checked: %j', async (options, message) => {
    await expect(create(options)).rejects.toThrow(message);
  });

  it.each([
    [{ spreadOut: 10 }, /learningRate 1 times spreadOut 10 must be below 0\.\d+ with these weights/],
    [{ rowDecay: { strength: 3 } }, /rowDecay\.strength 3 takes 3\.00 of the row of class 2 off; it must be below 1/],
  ])('a rate that is too large is refused before a weight changes: %j', async (options, message) => {
    using layer = await create(options);
    using weights = backend.createMatrix(classes, 4);
    layer.denseRows(0, weights);
    const before = (await read(weights)).slice();
    using hidden = createMatrixFrom(backend, 1, 3, [1, 2, 3]);
    const targets = singleTargets(Int32Array.of(2), classes);
    await expect(layer.step(hidden, targets, { learningRate: 1 })).rejects.toThrow(message);
    layer.denseRows(0, weights);
    expect(await read(weights)).toEqual(before);
  });
});
