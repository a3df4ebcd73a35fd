import { createSingleCommunicator, createVocabularyParallelSoftmax, mergeShards } from '@vastmax/distributed-mpi';
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { ranksOf } from '@vastmax/output-layer';
import { describeOutputLayer } from '@vastmax/output-layer/suite';
import { createFullSoftmaxLayer, type SoftmaxLayer } from '@vastmax/softmax-losses';
import { relativeError } from '@vastmax/spherical-losses/testing';
import { expect, it } from 'vitest';
import { partOf } from '../programs/distributed-run.ts';
import { moduleState } from '../programs/scenarios/small-layer.ts';
import { batch, classes, features, softmaxBatches, softmaxOptions, type SoftmaxAnswer, type SoftmaxRequest } from '../programs/scenarios/softmax.ts';
import { playOnThreads } from '../test-programs.ts';

const play = (size: number, request: SoftmaxRequest): Promise<SoftmaxAnswer[]> => playOnThreads('softmax', size, request);

/** The full softmax of one process over the same minibatches. */
async function trainAlone(request: SoftmaxRequest): Promise<Omit<SoftmaxAnswer, 'state'> & { readonly layer: SoftmaxLayer }> {
  const backend = createPlainBackend({ precision: request.precision });
  const layer = await createFullSoftmaxLayer(backend, softmaxOptions(request));
  const next = softmaxBatches();
  const losses: number[] = [];
  const gradients: number[] = [];
  for (let step = 0; step < request.steps; step++) {
    const { hidden, targets, weights } = next();
    using matrix = createMatrixFrom(backend, batch, features, hidden);
    const result = await layer.step(matrix, targets, { learningRate: 0.3, exampleWeights: weights });
    losses.push(...(await read(result.losses)));
    gradients.push(...(await read(result.hiddenGradient)));
  }
  const { hidden, targets } = next();
  using matrix = createMatrixFrom(backend, batch, features, hidden);
  const evaluated = Array.from(await read(await layer.evaluate(matrix, targets)));
  using few = createMatrixFrom(backend, 3, features, Float64Array.from({ length: 3 * features }, (_, i) => Math.sin(i)));
  using vectors = backend.createMatrix(classes, features);
  layer.classVectors(0, vectors);
  return { layer, losses, gradients, evaluated, ranks: Array.from(await ranksOf(layer, few, Int32Array.of(0, 17, classes - 1))), classVectors: Array.from(await read(vectors)) };
}

/** What the ranks have, in the order of the examples. */
function together(answers: readonly SoftmaxAnswer[], of: (answer: SoftmaxAnswer) => readonly number[], steps: number, width: number): number[] {
  const out = new Array<number>(steps * batch * width);
  for (const [rank, answer] of answers.entries()) {
    const mine = partOf(rank, answers.length, batch);
    const values = of(answer);
    for (let step = 0; step < steps; step++) {
      for (const [place, example] of mine.entries()) {
        for (let i = 0; i < width; i++) out[(step * batch + example) * width + i] = values[(step * mine.length + place) * width + i]!;
      }
    }
  }
  return out;
}

it.each([
  { precision: 'f64', rule: 'sgd', bias: true, steps: 200 },
  { precision: 'f64', rule: 'adam', bias: false, steps: 60 },
  { precision: 'f32', rule: 'momentum', bias: true, steps: 60 },
] as const)('the union of 1 to 4 ranks is the full softmax: $precision, $rule, bias $bias', async (request) => {
  const { layer, ...alone } = await trainAlone(request);
  using expected = layer;
  const bound = request.precision === 'f64' ? 1e-11 : 5e-5;
  for (const size of [1, 2, 3, 4]) {
    const answers = await play(size, request);
    const what = `${size} ranks`;
    expect(relativeError(together(answers, ({ losses }) => losses, request.steps, 1), alone.losses), what).toBeLessThan(bound);
    expect(relativeError(together(answers, ({ gradients }) => gradients, request.steps, features), alone.gradients), what).toBeLessThan(bound);
    expect(relativeError(together(answers, ({ evaluated }) => evaluated, 1, 1), alone.evaluated), what).toBeLessThan(bound);
    for (const answer of answers) {
      expect(answer.ranks).toEqual(alone.ranks);
      expect(relativeError(answer.classVectors, alone.classVectors), what).toBeLessThan(bound);
    }
    // The shards are a checkpoint of the layer in one process, and it is one of theirs.
    const merged = mergeShards(answers.map(({ state }) => moduleState(state)));
    using whole = await createFullSoftmaxLayer(expected.backend, softmaxOptions(request));
    await whole.restore(merged);
    expect(whole.stepCount).toBe(request.steps);
    using shared = await createVocabularyParallelSoftmax(createSingleCommunicator(), expected.backend, softmaxOptions(request));
    await shared.restore(expected.state());
    using vectors = expected.backend.createMatrix(classes, features);
    shared.classVectors(0, vectors);
    expect(Array.from(await read(vectors))).toEqual(alone.classVectors);
  }
});

it('a NaN on one rank refuses the step on all, and no weight has changed', async () => {
  const request = { precision: 'f64', rule: 'sgd', bias: true, steps: 3 } as const;
  const [before] = await play(2, { ...request, steps: 2 });
  for (const answer of await play(2, { ...request, spoil: 1 })) {
    expect(answer.refusal).toMatch(/full-softmax step: hidden of all ranks is NaN at example \d, feature 1; it must be finite/);
    expect(answer.classVectors).toEqual(before?.classVectors);
  }
});

it('options that make no sense are refused', async () => {
  const create = (options: object): Promise<unknown> => createVocabularyParallelSoftmax(createSingleCommunicator(), createPlainBackend(), { classes: 5, features: 2, ...options });
  await expect(create({ classes: 0 })).rejects.toThrow('classes must be a whole number from 1 to 2147483647, got 0');
  await expect(create({ initialScale: -1 })).rejects.toThrow('initialScale must be a finite number of at least 0, got -1');
  await expect(create({ initialBiases: [1, 2] })).rejects.toThrow('2 initialBiases for 5 biases; one for each class');
});

describeOutputLayer({
  name: 'vocabulary-parallel softmax over one rank',
  backend: () => createPlainBackend({ precision: 'f64' }),
  create: (backend, request) =>
    createVocabularyParallelSoftmax(createSingleCommunicator(), backend, { classes: request.classes, features: request.features, seed: request.seed, initialScale: 0.3, blockClasses: 5 }),
});
