import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { isModelError, outputLayerOf } from '@vastmax/lm-models';
import { balancedClassWeights, checkClassWeights } from '@vastmax/lm-models/labels';
import { csrFromLists, SparseBatches, type CsrRows } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { normals, valuesOf } from '../numbers.ts';
import { classes, createLayer, everyChoice, features } from './every-layer.ts';

const targets = [[3], [17], [39], [3]];
const classWeights = Float64Array.from({ length: classes }, (_, k) => (k === 3 ? 2.5 : k === 39 ? 0.25 : 1));

describe('class weights', () => {
  it.each(everyChoice)('multiply the loss of an example of %s, or are refused', async (_name, choice) => {
    try {
      checkClassWeights(choice);
    } catch (error) {
      expect(isModelError(error) && error.code).toBe('unsupported');
      expect(choice).toMatchObject({ loss: { name: expect.stringMatching(/^(squared-error|implicit)$/) as string } });
      return;
    }
    const step = async (
      rows: CsrRows,
      exampleWeights?: readonly number[],
    ): Promise<{ readonly gradient: number[]; readonly vectors: number[] }> => {
      const backend = createPlainBackend({ precision: 'f64' });
      using layer = await createLayer(backend, choice);
      using hidden = createMatrixFrom(backend, targets.length, features, normals(targets.length * features, 8));
      const options = exampleWeights === undefined ? {} : { exampleWeights };
      const { hiddenGradient } = await layer.step(hidden, rows, { learningRate: 0.05, ...options });
      const gradient = [...(await read(hiddenGradient))];
      using vectors = backend.createMatrix(classes, features);
      layer.classVectors(0, vectors);
      return { gradient, vectors: [...(await valuesOf(vectors))] };
    };
    const batches = new SparseBatches({
      inputs: csrFromLists(
        targets.map(() => [0]),
        1,
      ),
      targets: csrFromLists(targets, classes),
      batchSize: targets.length,
      shuffle: false,
      targetWeights: outputLayerOf(choice.kind).abilities.targetWeights(choice),
      classWeights,
    });
    const weighted = await step(batches.next().targets);
    const reference = await step(csrFromLists(targets, classes), [2.5, 1, 0.25, 2.5]);
    for (const part of ['gradient', 'vectors'] as const)
      for (const [i, value] of weighted[part].entries()) expect(value).toBeCloseTo(reference[part][i]!, 10);
  });

  it('are 1 over the frequency or its root, with a mean of 1 over all labels', () => {
    const frequencies = [8, 2, 0, 2];
    expect([...balancedClassWeights('balanced', frequencies)]).toEqual([0.5, 2, 1, 2]);
    const roots = balancedClassWeights('sqrt', frequencies);
    expect(roots[1]! / roots[0]!).toBeCloseTo(2, 14);
    expect(frequencies.reduce((sum, count, k) => sum + count * roots[k]!, 0)).toBeCloseTo(12, 12);
  });
});
