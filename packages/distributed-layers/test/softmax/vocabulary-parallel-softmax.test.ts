import { createSingleCommunicator } from '@vastmax/collectives';
import { createVocabularyParallelSoftmax, mergeShards } from '@vastmax/distributed-layers';
import { createPlainBackend } from '@vastmax/linalg-core';
import { describeOutputLayer } from '@vastmax/output-layer/suite';
import { createFullSoftmaxLayer } from '@vastmax/softmax-losses';
import { expect, it } from 'vitest';
import { moduleState } from '../programs/scenarios/small-layer.ts';
import { softmaxOptions, type SoftmaxAnswer, type SoftmaxRequest } from '../programs/scenarios/softmax.ts';
import { trainGlobalBatches, vectorsOf } from '../programs/scenarios/global-training.ts';
import { playOnThreads } from '../run-program.ts';
import { expectUnion } from './global-expectation.ts';

const play = (size: number, request: SoftmaxRequest): Promise<SoftmaxAnswer[]> =>
  playOnThreads('softmax', size, request);

it.each([
  { precision: 'f64', rule: 'sgd', bias: true, steps: 200 },
  { precision: 'f64', rule: 'adam', bias: false, steps: 61 },
  { precision: 'f32', rule: 'momentum', bias: true, steps: 61 },
] as const)('the union of 1 to 4 ranks is the full softmax: $precision, $rule, bias $bias', async (request) => {
  using expected = await createFullSoftmaxLayer(
    createPlainBackend({ precision: request.precision }),
    softmaxOptions(request),
  );
  const alone = await trainGlobalBatches({ rank: 0, size: 1 }, expected, request);
  for (const size of [1, 2, 3, 4]) {
    const answers = await play(size, request);
    expectUnion(answers, alone, request.steps, request.precision === 'f64' ? 1e-11 : 5e-5);
    // The shards are a checkpoint of the layer in one process, and it is one of theirs.
    const merged = mergeShards(answers.map(({ state }) => moduleState(state)));
    using whole = await createFullSoftmaxLayer(expected.backend, softmaxOptions(request));
    await whole.restore(merged);
    expect(whole.stepCount).toBe(request.steps);
    using shared = await createVocabularyParallelSoftmax(
      createSingleCommunicator(),
      expected.backend,
      softmaxOptions(request),
    );
    await shared.restore(expected.state());
    expect(await vectorsOf(shared)).toEqual(alone.classVectors);
  }
});

it('a NaN on one rank refuses the step on all, and no weight has changed', async () => {
  const request = { precision: 'f64', rule: 'sgd', bias: true, steps: 3 } as const;
  const [before] = await play(2, { ...request, steps: 2 });
  for (const answer of await play(2, { ...request, spoil: 1 })) {
    expect(answer.refusal).toMatch(
      /full-softmax step: hidden of all ranks is NaN at example \d, feature 1; it must be finite/,
    );
    expect(answer.classVectors).toEqual(before?.classVectors);
  }
});

it('options that make no sense are refused', async () => {
  const create = (options: object): Promise<unknown> =>
    createVocabularyParallelSoftmax(createSingleCommunicator(), createPlainBackend(), {
      classes: 5,
      features: 2,
      ...options,
    });
  await expect(create({ classes: 0 })).rejects.toThrow('classes must be a whole number from 1 to 2147483647, got 0');
  await expect(create({ initialScale: -1 })).rejects.toThrow(
    'initialScale must be a finite number of at least 0, got -1',
  );
  await expect(create({ initialBiases: [1, 2] })).rejects.toThrow('2 initialBiases for 5 biases; one for each class');
});

describeOutputLayer({
  name: 'vocabulary-parallel softmax over one rank',
  backend: () => createPlainBackend({ precision: 'f64' }),
  create: (backend, request) =>
    createVocabularyParallelSoftmax(createSingleCommunicator(), backend, {
      classes: request.classes,
      features: request.features,
      seed: request.seed,
      initialScale: 0.3,
      blockClasses: 5,
    }),
});
