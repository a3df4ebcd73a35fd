import type { CsrRows } from '@vastmax/sparse-data';
import { createPlainBackend } from '@vastmax/linalg-core';
import { expect } from 'vitest';
import type { OutputLayerErrorCode } from '../errors.ts';
import type { OutputLayer } from '../output-layer.ts';
import type { OutputLayerCase } from './layer-under-test.ts';
import { createMinibatch, createSingleTargets, learningRate, placed, request, type Minibatch } from './minibatches.ts';
import { expectRefusal, expectUnchanged, snapshotOf, stepOn, warmUp } from './observations.ts';

const good = createSingleTargets(4, 400);

/** Targets that the constructors of sparse-data would reject. */
function unchecked(classes: readonly number[], values?: readonly number[]): CsrRows {
  return {
    rows: classes.length,
    columns: request.classes,
    offsets: Int32Array.from({ length: classes.length + 1 }, (_, row) => row),
    indices: Int32Array.from(classes),
    values: values === undefined ? undefined : Float64Array.from(values),
  };
}

function spoiled(value: number): Minibatch {
  const hidden = good.hidden.slice();
  hidden[2 * request.features + 3] = value;
  return { hidden, targets: good.targets };
}

/** After some training a call is rejected with its code, and the layer is bit for bit as before. */
function refusal(
  id: string,
  code: OutputLayerErrorCode,
  call: (layer: OutputLayer) => Promise<unknown>,
  mentions: readonly unknown[] = [],
): OutputLayerCase {
  return {
    id: `bad-input/${id}`,
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      await warmUp(layer);
      const before = await snapshotOf(layer);
      await expectRefusal(() => call(layer), code, mentions);
      await expectUnchanged(layer, before, id);
      await stepOn(layer, good);
    },
  };
}

const badTargets = (targets: CsrRows) => (layer: OutputLayer) => stepOn(layer, { hidden: good.hidden, targets });

async function evaluateBad(layer: OutputLayer, targets: CsrRows): Promise<void> {
  using hidden = placed(layer.backend, good);
  await layer.evaluate(hidden, targets);
}

export const badInputCases: readonly OutputLayerCase[] = [
  refusal('nan-in-hidden', 'non-finite', (layer) => stepOn(layer, spoiled(Number.NaN)), ['NaN', 2, 3]),
  refusal('infinity-in-hidden', 'non-finite', (layer) => stepOn(layer, spoiled(-Infinity)), ['-Infinity', 2, 3]),
  refusal('nan-target-weight', 'non-finite', badTargets(unchecked([1, 2, 3, 4], [1, Number.NaN, 1, 1])), ['NaN']),
  refusal('infinite-target-weight', 'non-finite', badTargets(unchecked([1, 2, 3, 4], [1, 1, Infinity, 1])), [
    'Infinity',
  ]),
  refusal('class-too-large', 'class-out-of-range', badTargets(unchecked([1, 2, request.classes, 4])), [
    request.classes,
    request.classes - 1,
  ]),
  refusal('class-negative', 'class-out-of-range', badTargets(unchecked([1, -1, 3, 4])), [-1, request.classes - 1]),
  refusal(
    'class-too-large-in-evaluate',
    'class-out-of-range',
    (layer) => evaluateBad(layer, unchecked([1, 2, 99, 4])),
    [99],
  ),
  refusal('too-few-target-rows', 'shape', badTargets(unchecked([1, 2, 3])), [3, 4]),
  refusal('too-few-target-rows-in-evaluate', 'shape', (layer) => evaluateBad(layer, unchecked([1, 2])), [2, 4]),
  refusal(
    'offsets-past-the-targets',
    'shape',
    badTargets({ ...unchecked([1, 2, 3, 4]), indices: Int32Array.of(1, 2, 3) }),
    [4, 3],
  ),
  refusal(
    'wrong-number-of-features',
    'shape',
    async (layer) => {
      using hidden = layer.backend.createMatrix(4, request.features + 2);
      await layer.step(hidden, good.targets, { learningRate });
    },
    [request.features + 2, request.features],
  ),
  refusal('disposed-hidden', 'disposed', async (layer) => {
    const hidden = placed(layer.backend, good);
    hidden[Symbol.dispose]();
    await layer.step(hidden, good.targets, { learningRate });
  }),
  refusal('hidden-on-another-backend', 'bad-option', async (layer) => {
    using hidden = placed(createPlainBackend({ precision: 'f64' }), good);
    await layer.step(hidden, good.targets, { learningRate });
  }),
  refusal(
    'targets-for-another-number-of-classes',
    'shape',
    badTargets({ ...good.targets, columns: request.classes + 1 }),
    [request.classes + 1, request.classes],
  ),
  refusal(
    'targets-for-another-number-of-classes-in-evaluate',
    'shape',
    (layer) => evaluateBad(layer, { ...good.targets, columns: request.classes - 1 }),
    [request.classes - 1, request.classes],
  ),
  // From plain JavaScript.
  refusal('class-numbers-as-targets', 'bad-option', badTargets([1, 2, 3, 4] as never), [
    'targets must be CsrRows',
    `singleTargets(classes, ${request.classes})`,
  ]),
  refusal('no-targets', 'bad-option', badTargets(undefined as never), ['got nothing']),
  refusal(
    'numbers-as-hidden',
    'bad-option',
    (layer) => layer.step(good.hidden as never, good.targets, { learningRate }),
    ['hidden must be a Matrix', 'an array'],
  ),
  ...(['scores', 'classScores', 'classVectors'] as const).map((operation) =>
    refusal(
      `out-on-another-backend-in-${operation}`,
      'bad-option',
      async (layer) => {
        using hidden = placed(layer.backend, good);
        const rows = hidden.rows;
        using out = createPlainBackend().createMatrix(rows, operation === 'classVectors' ? request.features : 1);
        if (operation === 'scores') layer.scores(hidden, 0, out);
        else if (operation === 'classScores') layer.classScores(hidden, new Int32Array(rows), out);
        else layer.classVectors(0, out);
        await layer.backend.synchronize();
      },
      [`${operation}: out lives on`, 'create both on the same'],
    ),
  ),
  refusal(
    'out-of-another-shape',
    'shape',
    async (layer) => {
      using hidden = placed(layer.backend, good);
      using out = layer.backend.createMatrix(3, 2);
      layer.scores(hidden, 0, out);
      await layer.backend.synchronize();
    },
    ['3×2', '4×2'],
  ),
  refusal('negative-rate', 'bad-option', (layer) => stepOn(layer, good, { learningRate: -0.1 }), [-0.1]),
  refusal('nan-rate', 'bad-option', (layer) => stepOn(layer, good, { learningRate: Number.NaN }), ['NaN']),
  refusal('infinite-rate', 'bad-option', (layer) => stepOn(layer, good, { learningRate: Infinity }), ['Infinity']),
  refusal(
    'wrong-number-of-example-weights',
    'shape',
    (layer) => stepOn(layer, good, { exampleWeights: [1, 2] }),
    [2, 4],
  ),
  refusal(
    'nan-example-weight',
    'non-finite',
    (layer) => stepOn(layer, good, { exampleWeights: [1, 1, Number.NaN, 1] }),
    ['NaN'],
  ),
  {
    id: 'bad-input/concurrent-step-is-busy',
    run: async (subject) => {
      const backend = subject.backend();
      using layer = await subject.create(backend, request);
      using undisturbed = await subject.create(backend, request);
      const batch = createMinibatch(4, 410);
      using hidden = placed(backend, batch);
      const first = layer.step(hidden, batch.targets, { learningRate });
      await expectRefusal(() => layer.step(hidden, batch.targets, { learningRate }), 'busy');
      await first;
      await stepOn(undisturbed, batch);
      const next = createMinibatch(5, 411);
      expect(await stepOn(layer, next), 'the step after').toEqual(await stepOn(undisturbed, next));
    },
  },
];
