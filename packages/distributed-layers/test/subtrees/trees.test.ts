import { createSingleCommunicator } from '@vastmax/collectives';
import { createDistributedHybridLayer, createShardedTreeSoftmax, mergeShards } from '@vastmax/distributed-layers';
import { createPlainBackend } from '@vastmax/linalg-core';
import { describeOutputLayer } from '@vastmax/output-layer/suite';
import { expect, it } from 'vitest';
import { moduleState } from '../programs/scenarios/small-layer.ts';
import { trainGlobalBatches, vectorsOf } from '../programs/scenarios/global-training.ts';
import { createTreeLayer, type TreeAnswer, type TreeRequest } from '../programs/scenarios/trees.ts';
import { playOnThreads } from '../run-program.ts';
import { expectUnion } from '../softmax/global-expectation.ts';

const play = (size: number, request: TreeRequest): Promise<TreeAnswer[]> => playOnThreads('trees', size, request);

const requests: readonly (TreeRequest & { readonly sizes: readonly number[] })[] = [
  { layer: 'hybrid', precision: 'f64', rule: 'sgd', steps: 120, sizes: [1, 2, 3, 4] },
  { layer: 'spherical hybrid', precision: 'f64', rule: 'sgd', steps: 40, sizes: [3] },
  { layer: 'two tails', precision: 'f32', rule: 'momentum', steps: 40, sizes: [2] },
  { layer: 'tree', precision: 'f64', rule: 'momentum', steps: 60, sizes: [4] },
  { layer: 'shallow tree', precision: 'f64', rule: 'sgd', steps: 20, sizes: [2] },
  { layer: 'hierarchical', precision: 'f64', rule: 'adagrad', steps: 60, sizes: [3] },
];

it.each(requests)(
  'the union of $sizes ranks is the layer in one process: $layer, $precision, $rule',
  async ({ sizes, ...request }) => {
    const { precision, steps } = request;
    const bound = precision === 'f64' ? 1e-11 : 5e-5;
    const backend = createPlainBackend({ precision });
    using expected = await createTreeLayer(backend, request);
    const alone = await trainGlobalBatches({ rank: 0, size: 1 }, expected, request);
    for (const size of sizes) {
      const answers = await play(size, request);
      expectUnion(answers, alone, steps, bound);
      // The shards are a checkpoint of the layer in one process, and it is one of theirs.
      const states = answers.map(({ state }) => moduleState(state));
      const isWhole = states[0]?.configuration['shard'] === undefined;
      const merged = isWhole ? states[0]! : mergeShards(states);
      using whole = await createTreeLayer(backend, request);
      await whole.restore(merged);
      expect(await vectorsOf(whole)).toEqual(answers[0]?.classVectors);
      using shared = await createTreeLayer(backend, request, createSingleCommunicator());
      await shared.restore(expected.state());
      expect(await vectorsOf(shared)).toEqual(alone.classVectors);
    }
  },
);

it('shards of 2 ranks go on on 2 ranks bit for bit, and on 3 up to rounding', async () => {
  const request: TreeRequest = { layer: 'hybrid', precision: 'f64', rule: 'momentum', steps: 20 };
  const throughout = await play(2, { ...request, steps: 40 });
  const from = (await play(2, request)).map(({ state }) => state);
  const again = await play(2, { ...request, skip: 20, from });
  expect(again.map(({ state }) => state)).toEqual(throughout.map(({ state }) => state));
  const backend = createPlainBackend({ precision: 'f64' });
  using expected = await createTreeLayer(backend, request);
  await expected.restore(mergeShards(from.map(moduleState)));
  const alone = await trainGlobalBatches({ rank: 0, size: 1 }, expected, { steps: 20, skip: 20 });
  expectUnion(await play(3, { ...request, skip: 20, from }), alone, 20, 1e-11, 20);
});

it.each(['hybrid', 'tree', 'hierarchical'] as const)(
  'a NaN on one rank refuses the step on all, and no weight has changed: %s',
  async (layer) => {
    const request: TreeRequest = { layer, precision: 'f64', rule: 'sgd', steps: 3 };
    const [before] = await play(2, { ...request, steps: 2 });
    for (const answer of await play(2, { ...request, spoil: 1 })) {
      expect(answer.refusal).toMatch(/^rank 1 of 2 refused the step: .*hidden is NaN at example \d, feature 1/);
      expect(answer.classVectors).toEqual(before?.classVectors);
    }
  },
);

describeOutputLayer({
  name: 'tree softmax over one rank',
  backend: () => createPlainBackend({ precision: 'f64' }),
  create: (backend, { classes, features, seed }) =>
    createShardedTreeSoftmax(createSingleCommunicator(), backend, {
      classes,
      features,
      seed,
      initialScale: 0.3,
      fanOut: 2,
      levels: 2,
    }),
});

describeOutputLayer({
  name: 'hybrid layer over one rank',
  backend: () => createPlainBackend({ precision: 'f64' }),
  create: (backend, { classes, features, seed }) =>
    createDistributedHybridLayer(createSingleCommunicator(), backend, {
      frequencies: Float64Array.from({ length: classes }, (_, k) => classes - k),
      features,
      seed,
      initialScale: 0.3,
      headSize: Math.ceil(classes / 3),
      headRate: 1,
      tailRate: 1,
    }),
});
