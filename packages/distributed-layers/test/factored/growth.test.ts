import { mergeShards } from '@vastmax/distributed-layers';
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { createFactoredOutputLayer, type FactoredOutputLayer } from '@vastmax/spherical-losses';
import { relativeError } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import {
  added,
  growFromTwo,
  growingLoss,
  trainAndGrow,
  trainOn,
  type GrowingLoss,
  type GrowthAnswer,
  type GrowthRequest,
  type LateAnswer,
} from '../programs/scenarios/growth.ts';
import { classes, layerOptions, moduleState, readWeights, width } from '../programs/scenarios/small-layer.ts';
import { playOnThreads } from '../run-program.ts';

const backend = createPlainBackend({ precision: 'f64' });
const whole = classes + added;
const grow = (size: number, request: GrowthRequest): Promise<GrowthAnswer[]> => playOnThreads('growth', size, request);
const createSingle = (loss: GrowingLoss, count: number): Promise<FactoredOutputLayer> =>
  createFactoredOutputLayer(backend, {
    ...layerOptions(growingLoss(loss, count)),
    classes: count,
    ...(count === classes ? {} : { initialRows: (_first: number, rows: number) => new Float64Array(rows * width) }),
  });

describe.each(['z-loss', 'spherical-softmax', 'taylor-softmax', 'squared-error', 'prior'] as const)(
  'classes added to a layer in mid-training: %s',
  (loss) => {
    it('make the layer that one process makes of them, with its probabilities, on 1, 2 and 3 ranks', async () => {
      using single = await createSingle(loss, classes);
      await trainAndGrow(single, loss);
      const expected = await readWeights(single);
      for (const size of [1, 2, 3]) {
        const answers = await grow(size, { loss });
        for (const [rank, { weights, drift, rebases, state, ...own }] of answers.entries()) {
          const what = `rank ${rank} of ${size}`;
          expect(relativeError(weights, expected), what).toBeLessThan(1e-11);
          expect(drift, what).toBeLessThan(1e-11);
          if (loss === 'squared-error') expect(rebases, what).toBeGreaterThan(2);
          const replicated = ['map', 'inverse', 'shift', 'centred_gram', 'column_sum'];
          expect(
            state.tensors.filter(({ name }) => replicated.includes(name)),
            what,
          ).toEqual(answers[0]?.state.tensors.filter(({ name }) => replicated.includes(name)));
          if (single.isNormalized) await expectSameLogs(single, own, what);
          else expect(own.ofAll).toHaveLength(0);
        }
      }
    });
  },
);

async function expectSameLogs(
  single: FactoredOutputLayer,
  {
    hidden: values,
    wanted,
    ofClasses,
    ofAll,
    ofLast,
  }: Pick<GrowthAnswer, 'hidden' | 'wanted' | 'ofClasses' | 'ofAll' | 'ofLast'>,
  what: string,
): Promise<void> {
  const m = wanted.length;
  using hidden = createMatrixFrom(backend, m, width, values);
  using column = backend.createMatrix(m, 1);
  single.classLogProbabilities(hidden, wanted, column);
  using all = backend.createMatrix(m, whole);
  single.logProbabilities(hidden, 0, all);
  const expected = await read(all);
  expect(relativeError(ofClasses, await read(column)), what).toBeLessThan(1e-11);
  expect(relativeError(ofAll, expected), what).toBeLessThan(1e-11);
  for (let j = 0; j < m; j++) {
    const own = ofAll.subarray(j * whole, (j + 1) * whole);
    expect(
      own.reduce((sum, value) => sum + Math.exp(value), 0),
      what,
    ).toBeCloseTo(1, 12);
    expect(own[wanted[j]!], what).toBeCloseTo(ofClasses[j]!, 12);
    expect(relativeError(ofLast.subarray(j * 50, (j + 1) * 50), own.subarray(whole - 50)), what).toBeLessThan(1e-11);
  }
}

describe.each(['squared-error', 'prior'] as const)('the checkpoint of a layer that has grown: %s', (loss) => {
  it('goes on as one process does, on as many ranks, on others and in one process', async () => {
    const shards = (await grow(3, { loss })).map(({ state }) => state);
    using single = await createSingle(loss, whole);
    await single.restore(mergeShards(shards.map(moduleState)));
    await trainOn(single, loss);
    const expected = await readWeights(single);
    for (const size of [1, 2, 3, 4]) {
      for (const { weights, drift } of await grow(size, { loss, from: shards })) {
        expect(relativeError(weights, expected), `${size} ranks`).toBeLessThan(1e-11);
        expect(drift, `${size} ranks`).toBeLessThan(1e-11);
      }
    }
  });
});

it('a rank that had no class gets its first', async () => {
  using single = await createFactoredOutputLayer(backend, {
    ...layerOptions(growingLoss('squared-error', 2)),
    classes: 2,
  });
  await growFromTwo(single);
  const expected = await readWeights(single);
  expect(expected).toHaveLength(7 * width);
  for (const { weights, drift } of await playOnThreads<Pick<GrowthAnswer, 'weights' | 'drift'>>('fewClasses', 3)) {
    expect(relativeError(weights, expected)).toBeLessThan(1e-11);
    expect(drift).toBeLessThan(1e-11);
  }
});

it('log-probabilities need no backend in host memory', async () => {
  for (const { late, present, refusal } of await playOnThreads<LateAnswer>('lateReads', 3)) {
    expect(late).toEqual(present);
    expect(refusal).toContain('a backend in host memory');
  }
});
