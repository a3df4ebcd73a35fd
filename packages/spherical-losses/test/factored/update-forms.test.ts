import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator } from '@vastmax/sparse-data';
import {
  createBuiltInLoss,
  createFactoredOutputLayer,
  squaredError,
  type FactoredOutputLayer,
  type UpdateForm,
} from '@vastmax/spherical-losses';
import { DenseReference, relativeError, type ReferenceLoss } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { readWeights } from './layer-subjects.ts';

const classes = 50;
const width = 6;
const start = (() => {
  const random = new RandomGenerator(3);
  return Float64Array.from({ length: classes * width }, () => 0.3 * random.normal());
})();
const rowsOf = (first: number, count: number): Float64Array => start.subarray(first * width, (first + count) * width);

const losses: readonly ReferenceLoss[] = [
  { name: 'squared-error', targetValue: 1 },
  { name: 'spherical-softmax', epsilon: 1 },
  { name: 'taylor-softmax' },
  { name: 'z-loss', a: 0.1, b: 10 },
];

async function createLayer(loss: ReferenceLoss, form?: UpdateForm): Promise<FactoredOutputLayer> {
  const { name, ...options } = loss;
  return createFactoredOutputLayer(createPlainBackend({ precision: 'f64' }), {
    classes,
    features: width,
    bias: false,
    loss: createBuiltInLoss(name, options),
    initialRows: rowsOf,
    ...(form === undefined ? {} : { form }),
  });
}

describe('the two forms of the step', () => {
  it.each(losses)('agree with each other and with dense SGD for batches below, at and above d: $name', async (loss) => {
    using small = await createLayer(loss, 'small-batch');
    using row = await createLayer(loss, 'row');
    using auto = await createLayer(loss);
    const dense = new DenseReference(start.slice(), width, loss);
    const random = new RandomGenerator(8);
    const formsTaken = new Set<UpdateForm | undefined>();
    for (let step = 0; step < 60; step++) {
      const m = [1, 2, 5, 6, 7, 13, 40, 0][step % 8]!;
      const values = Float64Array.from({ length: m * width }, () => random.normal());
      const targets = csrFromLists(
        Array.from({ length: m }, () => Array.from({ length: random.integer(4) }, () => random.integer(classes))),
        classes,
      );
      const expected = dense.step(values, targets, 0.01);
      for (const layer of [small, row, auto]) {
        using hidden = createMatrixFrom(layer.backend, m, width, values);
        const { losses: own, hiddenGradient } = await layer.step(hidden, targets, { learningRate: 0.01 });
        expect(relativeError(await read(own), expected.losses)).toBeLessThan(1e-12);
        expect(relativeError(await read(hiddenGradient), expected.hiddenGradient)).toBeLessThan(1e-12);
      }
      formsTaken.add(auto.counters.form);
    }
    expect([small.counters.form, row.counters.form]).toEqual(['small-batch', 'row']);
    expect(formsTaken, 'the layer chooses either').toEqual(new Set(['small-batch', 'row']));
    for (const layer of [small, row, auto])
      expect(relativeError(await readWeights(layer), dense.weights)).toBeLessThan(1e-12);
  });

  it.each(['small-batch', 'row'] as const)('take a singular minibatch of several examples: %s', async (form) => {
    // Orthogonal activations of length² m/(2η) make every eigenvalue of I − HᵀH·2η/m on their span 0; then all of them,
    // then one only.
    for (const directions of [1, 3, width]) {
      using layer = await createFactoredOutputLayer(createPlainBackend({ precision: 'f64' }), {
        classes,
        features: width,
        bias: false,
        loss: squaredError(),
        initialRows: rowsOf,
        form,
      });
      const dense = new DenseReference(start.slice(), width, { name: 'squared-error', targetValue: 1 });
      const random = new RandomGenerator(12);
      for (let step = 0; step < 40; step++) {
        const learningRate = 0.05;
        const isSingular = step % 4 === 1;
        const m = width;
        const length = Math.sqrt(m / (2 * learningRate));
        const values = Float64Array.from({ length: m * width }, (_, i) => {
          const [example, feature] = [Math.floor(i / width), i % width];
          if (isSingular && example < directions) return example === feature ? length : 0;
          return (isSingular && feature < directions ? 0 : 0.5) * random.normal();
        });
        const targets = csrFromLists(
          Array.from({ length: m }, () => [random.integer(classes), random.integer(classes)]),
          classes,
        );
        const expected = dense.step(values, targets, learningRate);
        using hidden = createMatrixFrom(layer.backend, m, width, values);
        const { hiddenGradient } = await layer.step(hidden, targets, { learningRate });
        expect(relativeError(await read(hiddenGradient), expected.hiddenGradient), `step ${step}`).toBeLessThan(1e-11);
      }
      expect(layer.counters.singularSteps, `${directions} singular directions`).toBe(10);
      expect(relativeError(await readWeights(layer), dense.weights)).toBeLessThan(1e-12);
      const { gramDrift, columnSumDrift } = await layer.verify();
      expect(Math.max(gramDrift, columnSumDrift)).toBeLessThan(1e-12);
    }
  });
});
