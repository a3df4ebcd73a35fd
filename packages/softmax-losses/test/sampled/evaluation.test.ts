/** Whatever is sampled in training, evaluation sums over all classes; in more than one block here. */
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { ranksOf, type OutputLayer } from '@vastmax/output-layer';
import {
  createLogUniformProposal,
  createNegativeSamplingLayer,
  createNoiseContrastiveLayer,
  createSampledSoftmaxLayer,
} from '@vastmax/softmax-losses';
import { csrFromLists, RandomGenerator } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';

const classes = 2500;
const features = 3;
const backend = createPlainBackend({ precision: 'f64' });
const random = new RandomGenerator(2);
const hidden = createMatrixFrom(
  backend,
  3,
  features,
  Float64Array.from({ length: 3 * features }, () => random.normal()),
);
const lists = [[0, 2400], [], [7, 3, 7]];
const weights = [[1, 0.5], [], [1, 2, 0.25]];
const targets = csrFromLists(lists, classes, weights);
const options = { classes, features, samples: 20, initialScale: 0.8 };

async function outputsOf(layer: OutputLayer): Promise<number[][]> {
  using out = backend.createMatrix(3, classes);
  layer.scores(hidden, 0, out);
  const values = await read(out);
  return [0, 1, 2].map((example) => Array.from(values.subarray(example * classes, (example + 1) * classes)));
}

describe('evaluation', () => {
  it.each([
    ['sampled softmax', createSampledSoftmaxLayer],
    ['noise-contrastive', createNoiseContrastiveLayer],
    [
      'sampled softmax of cosines',
      (on: typeof backend, given: typeof options) => createSampledSoftmaxLayer(on, { ...given, temperature: 4 }),
    ],
  ])('of %s is the log-softmax loss over all classes', async (_, create) => {
    using layer = await create(backend, options);
    expect(layer.isNormalized).toBe(true);
    const outputs = await outputsOf(layer);
    const losses = await read(await layer.evaluate(hidden, targets));
    const expected = outputs.map((row, example) => {
      const logPartition = Math.log(row.reduce((sum, output) => sum + Math.exp(output), 0));
      return lists[example]!.reduce(
        (loss, target, i) => loss + weights[example]![i]! * (logPartition - row[target]!),
        0,
      );
    });
    expected.forEach((loss, example) => {
      expect(losses[example]).toBeCloseTo(loss, 10);
    });
  });

  it.each([true, false])(
    'of negative sampling is the expectation of its loss, accidental hits removed: %s',
    async (removeAccidentalHits) => {
      const proposal = createLogUniformProposal(classes);
      using layer = await createNegativeSamplingLayer(backend, { ...options, proposal, removeAccidentalHits });
      expect(layer.isNormalized).toBe(false);
      const outputs = await outputsOf(layer);
      const losses = await read(await layer.evaluate(hidden, targets));
      outputs.forEach((row, example) => {
        const own = new Set(lists[example]);
        const noise = row.reduce(
          (sum, output, k) =>
            removeAccidentalHits && own.has(k)
              ? sum
              : sum + 20 * Math.exp(proposal.logProbability(k)) * Math.log1p(Math.exp(output)),
          0,
        );
        const expected = lists[example]!.reduce(
          (loss, target, i) => loss + weights[example]![i]! * (Math.log1p(Math.exp(-row[target]!)) + noise),
          0,
        );
        expect(losses[example]).toBeCloseTo(expected, 9);
      });
    },
  );

  it('lets training by samples lift the targets to the top of all classes', async () => {
    const wanted = Int32Array.of(17, 900, 2400);
    for (const create of [createSampledSoftmaxLayer, createNoiseContrastiveLayer, createNegativeSamplingLayer]) {
      using layer = await create(backend, { ...options, initialScale: 0.1 });
      for (let step = 0; step < 60; step++) {
        await layer.step(hidden, csrFromLists([[17], [900], [2400]], classes), { learningRate: 1 });
      }
      expect(Array.from(await ranksOf(layer, hidden, wanted))).toEqual([1, 1, 1]);
    }
  });
});
