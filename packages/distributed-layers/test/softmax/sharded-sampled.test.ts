import { createSingleCommunicator } from '@vastmax/collectives';
import { createShardedSampledSoftmax, mergeShards } from '@vastmax/distributed-layers';
import { createPlainBackend } from '@vastmax/linalg-core';
import { describeOutputLayer } from '@vastmax/output-layer/suite';
import { createQuadraticProposal, createUniformProposal } from '@vastmax/softmax-losses';
import { relativeError } from '@vastmax/spherical-losses/testing';
import { expect, it } from 'vitest';
import type { SampledRefusals } from '../programs/scenarios/sampled-refusals.ts';
import {
  createSampledAlone,
  createSampledTogether,
  type SampledAnswer,
  type SampledRequest,
} from '../programs/scenarios/sampled.ts';
import { moduleState, plainState } from '../programs/scenarios/small-layer.ts';
import { trainGlobalBatches, vectorsOf } from '../programs/scenarios/global-training.ts';
import { playOnThreads } from '../run-program.ts';
import { expectUnion } from './global-expectation.ts';

const play = (size: number, request: SampledRequest): Promise<SampledAnswer[]> =>
  playOnThreads('sampled', size, request);

it.each([
  { loss: 'sampled', proposal: 'learned', rule: 'sgd', bias: true, precision: 'f64', steps: 200 },
  { loss: 'sampled', proposal: 'unigram', rule: 'adam', bias: false, unique: true, precision: 'f64', steps: 100 },
  { loss: 'nce', proposal: 'log-uniform', rule: 'sgd', bias: true, precision: 'f64', steps: 200 },
  {
    loss: 'nce',
    proposal: 'learned',
    rule: 'adagrad',
    bias: true,
    removeAccidentalHits: false,
    precision: 'f64',
    steps: 100,
  },
  { loss: 'negative', proposal: 'uniform', rule: 'sgd', bias: true, precision: 'f64', steps: 200 },
  {
    loss: 'negative',
    proposal: 'learned',
    rule: 'momentum',
    bias: true,
    removeAccidentalHits: false,
    precision: 'f64',
    steps: 100,
  },
  { loss: 'sampled', proposal: 'uniform', rule: 'sgd', bias: true, precision: 'f32', steps: 61 },
] as const)(
  'the union of 1 to 3 ranks is the layer of one process: $loss, $proposal, $rule, $precision',
  async (request) => {
    using expected = await createSampledAlone(createPlainBackend({ precision: request.precision }), request);
    const alone = await trainGlobalBatches({ rank: 0, size: 1 }, expected, request);
    for (const size of [1, 2, 3]) {
      const answers = await play(size, request);
      expectUnion(answers, alone, request.steps, request.precision === 'f64' ? 1e-11 : 5e-5);
      using whole = await createSampledAlone(expected.backend, request);
      await whole.restore(mergeShards(answers.map(({ state }) => moduleState(state))));
      expect(whole.stepCount).toBe(request.steps);
      expect(whole.state().configuration).toEqual(expected.state().configuration);
      expect(await vectorsOf(whole)).toEqual(answers[0]?.classVectors);
    }
  },
);

it('a checkpoint resumes bit for bit on as many ranks, and exactly on others and in one process', async () => {
  const request = { loss: 'sampled', proposal: 'learned', rule: 'adam', bias: true, precision: 'f64' } as const;
  const straight = await play(3, { ...request, steps: 60 });
  const half = await play(3, { ...request, steps: 30 });
  const from = half.map(({ state }) => state);
  for (const size of [3, 1, 2]) {
    const resumed = await play(size, { ...request, from, skip: 30, steps: 30 });
    for (const [rank, { state, steps, classVectors }] of resumed.entries()) {
      expect(steps).toBe(60);
      if (size === 3) expect(state, `rank ${rank}`).toEqual(straight[rank]?.state);
      expect(relativeError(classVectors, straight[0]?.classVectors ?? []), `${size} ranks`).toBeLessThan(1e-12);
    }
  }
  using alone = await createSampledAlone(createPlainBackend({ precision: 'f64' }), { ...request, steps: 0 });
  await alone.restore(mergeShards(from.map(moduleState)));
  const rest = await trainGlobalBatches({ rank: 0, size: 1 }, alone, { skip: 30, steps: 30 });
  expect(relativeError(rest.classVectors, straight[0]?.classVectors ?? [])).toBeLessThan(1e-12);

  // And back: the state of one process is one of theirs.
  using shared = await createSampledTogether(createSingleCommunicator(), alone.backend, { ...request, steps: 0 });
  await shared.restore(alone.state());
  expect(await vectorsOf(shared)).toEqual(await vectorsOf(alone));
  await expect(shared.restore(moduleState(from[1]!))).rejects.toThrow(
    'sampled-softmax layer: the state is shard 1 of 3, this is rank 0 of 1; give every rank mergeShards of all shards',
  );
  const mixed = { ...from[1]!, configuration: { ...from[1]!.configuration, progress: { random: 'elsewhere' } } };
  expect(() => mergeShards([from[0]!, mixed, from[2]!].map(moduleState))).toThrow("'progress' is");
  expect((await plainState(shared.state())).configuration['steps']).toBe(60);
});

it('when one rank must refuse, all do, with its reason, unchanged, and go on with the samples that they would have drawn', async () => {
  const answers = await playOnThreads<SampledRefusals>('sampledRefusals', 3);
  using alone = await createSampledAlone(createPlainBackend({ precision: 'f64' }), answers[0]!.request);
  const { classVectors } = await trainGlobalBatches({ rank: 0, size: 1 }, alone, answers[0]!.request);
  const expected = [
    [
      'nan',
      'non-finite',
      /^rank 1 of 3 refused the step: sampled-softmax step 5: hidden is NaN at example 0, feature 0/,
    ],
    [
      'overflow',
      'diverged',
      /^rank 2 of 3 refused the step: sampled-softmax step 6: the loss of example 0 is .* at learning rate 0\.01/,
    ],
    [
      'class',
      'class-out-of-range',
      /^rank 2 of 3 refused the step: .*target 53 of example 1 is not a class \(0 to 52\)/,
    ],
    ['rate', 'bad-option', /^rank 0 of 3 refused the step: .*learningRate must be .*got -1/],
    [
      'rates differ',
      'bad-option',
      /^distributed step: learningRate is 0\.01 on rank 0 and 0\.02 on rank 1; it must be the same/,
    ],
    ['proposal', 'diverged', /^rank 1 of 3 refused the step: RangeError: the proposal ran into a bug/],
    [
      'samples',
      'bad-option',
      /^sampled-softmax step: ranks 0 and 2 have drawn different samples; every rank needs the same sampleSeed, samples and proposal/,
    ],
    ['evaluate', 'class-out-of-range', /^rank 1 of 3 refused the evaluate: /],
    [
      'other call',
      'bad-option',
      /^distributed layer: rank 0 called step, rank 2 evaluate; all ranks must make the same calls/,
    ],
    ['state', 'state-mismatch', /^rank 0 of 3 refused the restore: sampled-softmax layer: 'kind' is /],
  ] as const;
  for (const { found, weights } of answers) {
    expect(found.map(({ what }) => what)).toEqual(expected.map(([what]) => what));
    for (const [place, [what, code, words]] of expected.entries()) {
      expect(found[place], what).toMatchObject({ code, unchanged: true });
      expect(found[place]?.message, what).toMatch(words);
    }
    expect(relativeError(weights, classVectors)).toBeLessThan(1e-11);
  }
});

it('options that make no sense are refused', async () => {
  const classes = 5;
  const create = (options: object): Promise<unknown> =>
    createShardedSampledSoftmax(createSingleCommunicator(), createPlainBackend(), { classes, features: 2, ...options });
  await expect(create({ classes: 0 })).rejects.toThrow('classes must be a whole number from 1 to 2147483647, got 0');
  await expect(create({ samples: 0 })).rejects.toThrow('samples must be a whole number from 1');
  await expect(create({ proposal: createUniformProposal(6) })).rejects.toThrow(
    'the uniform proposal has 6 classes, the layer 5',
  );
  await expect(create({ sharing: 'example' })).rejects.toThrow(
    "sampled-softmax over ranks: samples are shared by the minibatch of all ranks; leave sharing out, or give 'minibatch'",
  );
  await expect(create({ temperature: 3 })).rejects.toThrow(
    'sampled-softmax over ranks: logits of a temperature are not to be had; leave it out',
  );
  const proposal = createQuadraticProposal(classes, 3, { backend: createPlainBackend() });
  await expect(create({ proposal })).rejects.toThrow(
    'sampled-softmax over ranks: the quadratic proposal draws by the class vectors of one process',
  );
});

describeOutputLayer({
  name: 'sampled softmax over one rank, every class a sample',
  backend: () => createPlainBackend({ precision: 'f64' }),
  create: (backend, { classes, features, seed }) =>
    createShardedSampledSoftmax(createSingleCommunicator(), backend, {
      classes,
      features,
      seed,
      initialScale: 0.3,
      unique: true,
      samples: 60 * classes,
      proposal: createUniformProposal(classes),
    }),
});
