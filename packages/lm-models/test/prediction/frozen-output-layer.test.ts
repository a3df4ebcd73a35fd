import { createMatrixFrom, createPlainBackend, memoryDifference, read, type Matrix } from '@vastmax/linalg-core';
import { createNetwork, freezeOutputLayer, predictNextWords, topClasses } from '@vastmax/lm-models';
import { ranksOf, topK, type OutputLayer } from '@vastmax/output-layer';
import { csrFromLists, singleTargets, Vocabulary } from '@vastmax/sparse-data';
import { expect, test } from 'vitest';
import { classes, createLayer, everyChoice, features } from '../labels/every-layer.ts';
import { normals } from '../numbers.ts';

const examples = 6;

async function trained(layer: OutputLayer, hidden: Matrix, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const targets = singleTargets(
      Int32Array.from({ length: examples }, (_, i) => (7 * i + step) % classes),
      classes,
    );
    await layer.step(hidden, targets, { learningRate: 0.1 });
  }
}

test.each(everyChoice)('%s answers as its scan does, after more steps too, or says why not', async (_, choice) => {
  const backend = createPlainBackend({ precision: 'f32' });
  using layer = await createLayer(backend, choice);
  using hidden = createMatrixFrom(backend, examples, features, normals(examples * features, 3));
  if (layer.hasLinearScores !== true) {
    await expect(freezeOutputLayer(layer)).rejects.toMatchObject({ code: 'unsupported' });
    return;
  }
  const exclude = csrFromLists([[0, 1], [], [5], [30, 2], [39], [7]], classes);
  const targets = singleTargets(Int32Array.of(3, 0, 39, 12, 5, 20), classes);
  for (let round = 0; round < 2; round++) {
    await trained(layer, hidden, 5);
    const before = backend.memory();
    {
      using frozen = await freezeOutputLayer(layer);
      for (const rows of [1, examples]) {
        using some = createMatrixFrom(backend, rows, features, (await read(hidden)).subarray(0, rows * features));
        const expected = await topK(layer, some, 5);
        const found = await topK(frozen, some, 5);
        expect(found.classes).toEqual(expected.classes);
        expectClose(found.scores, expected.scores);
      }
      const [expected, found] = await Promise.all(
        [layer, frozen].map((each) => topClasses(each, hidden, 5, { exclude })),
      );
      expect(found?.classes).toEqual(expected?.classes);
      expect(await ranksOf(frozen, hidden, targets.indices)).toEqual(await ranksOf(layer, hidden, targets.indices));
      if (layer.isNormalized)
        expectClose(
          await read(await frozen.evaluate(hidden, targets)),
          await read(await layer.evaluate(hidden, targets)),
        );
    }
    await frozenGone();
    expect(memoryDifference(backend.memory(), before).tables).toBe(0);
  }
  await backend.dispose();
});

/** The index releases its memory after its last search. */
const frozenGone = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(found[i]).toBeCloseTo(expected[i]!, 4);
}

test('a frozen network predicts as before, and refuses to be trained and saved', async () => {
  const backend = createPlainBackend();
  const vocabulary = new Vocabulary({ tokens: ['a', 'b', 'c', 'd', 'e', 'f'], counts: [9, 8, 7, 6, 5, 4] });
  using network = await createNetwork(
    backend,
    { inputs: vocabulary.size, frequencies: vocabulary.counts },
    {
      body: { kind: 'ngram', order: 3, embedding: 4, hidden: [4], embeddingScale: 1 },
      output: { kind: 'full', initialScale: 0.5, seed: 2 },
    },
  );
  const ask = () => predictNextWords(network, vocabulary, [['c', 'a', 'b']], { k: 3 });
  const before = await ask();
  await network.freeze();
  const [words = []] = await ask();
  expect(words.map(({ word }) => word)).toEqual(before[0]?.map(({ word }) => word));
  const { output } = network;
  expect(output.kind).toBe('frozen full-softmax');
  const state = () => network.modules();
  expect(state).toThrow('frozen full-softmax state: the layer was frozen and only predicts');
  await expect(
    output.step(network.computePromptHidden([[2, 0, 1]]), singleTargets(Int32Array.of(0), 6), { learningRate: 1 }),
  ).rejects.toMatchObject({ code: 'bad-option' });
});

test('a vector that is not finite is refused', async () => {
  const backend = createPlainBackend();
  using layer = await createLayer(backend, { kind: 'full', initialScale: 0.3, seed: 1 });
  const { tensors, configuration } = layer.state();
  const nan = tensors.map((tensor) => ({
    ...tensor,
    read: async (first: number, count: number) =>
      (await tensor.read(first, count)).map((value, i) => (i === 0 ? Number.NaN : value)),
  }));
  await layer.restore({ configuration, tensors: nan });
  await expect(freezeOutputLayer(layer)).rejects.toMatchObject({ code: 'bad-option' });
  expect(backend.memory().tables).toBe(1);
});
