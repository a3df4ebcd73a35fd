import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { createOutputLayer, topClasses, type OutputLayerChoice } from '@vastmax/lm-models';
import type { OutputLayer } from '@vastmax/output-layer';
import { csrFromLists, RandomGenerator } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { normals } from '../numbers.ts';

const classes = 60;
const choice: OutputLayerChoice = { kind: 'full', initialScale: 1, seed: 3 };

function createLayer(): Promise<OutputLayer> {
  return createOutputLayer(
    createPlainBackend({ precision: 'f64' }),
    { features: 3, frequencies: new Float64Array(classes).fill(1) },
    choice,
  );
}

describe('topClasses', () => {
  it('gives the best classes that are not excluded, as sorting all of them does', async () => {
    using layer = await createLayer();
    const examples = 5;
    using hidden = createMatrixFrom(layer.backend, examples, 3, normals(examples * 3, 2));
    const random = new RandomGenerator(4);
    const lists = Array.from({ length: examples }, (_, row) =>
      Array.from({ length: 12 * row }, () => random.integer(classes)),
    );
    using all = layer.backend.createMatrix(examples, classes);
    layer.scores(hidden, 0, all);
    const scores = await read(all);
    const found = await topClasses(layer, hidden, 7, { exclude: csrFromLists(lists, classes) });
    for (const [row, list] of lists.entries()) {
      const expected = Array.from({ length: classes }, (_, k) => k)
        .filter((k) => !list.includes(k))
        .sort((a, b) => scores[row * classes + b]! - scores[row * classes + a]! || a - b)
        .slice(0, 7);
      expect([...found.classes.subarray(7 * row, 7 * row + 7)]).toEqual(expected);
      expect([...found.scores.subarray(7 * row, 7 * row + 7)]).toEqual(expected.map((k) => scores[row * classes + k]));
    }
  });

  it('goes by blocks where the scores of all classes would be too many', async () => {
    using layer = await createLayer();
    const examples = 40_000; // 26 classes a block
    using hidden = createMatrixFrom(layer.backend, examples, 3, normals(examples * 3, 5));
    const found = await topClasses(layer, hidden, 2);
    using few = createMatrixFrom(layer.backend, 3, 3, normals(examples * 3, 5).subarray(0, 9));
    expect([...found.classes.subarray(0, 6)]).toEqual([...(await topClasses(layer, few, 2)).classes]);
  });

  it('marks places for which no class is left', async () => {
    using layer = await createLayer();
    using hidden = createMatrixFrom(layer.backend, 1, 3, [1, 0, 0]);
    const allButTwo = csrFromLists([Array.from({ length: classes - 2 }, (_, k) => k)], classes);
    const found = await topClasses(layer, hidden, 4, { exclude: allButTwo });
    expect([...found.classes.subarray(0, 2)].toSorted((a, b) => a - b)).toEqual([58, 59]);
    expect([[...found.classes.subarray(2)], [...found.scores.subarray(2)]]).toEqual([
      [-1, -1],
      [-Infinity, -Infinity],
    ]);
  });

  it('refuses a k that is none, rows that are not one an example, and stops when told to', async () => {
    using layer = await createLayer();
    using hidden = createMatrixFrom(layer.backend, 1, 3, [1, 0, 0]);
    for (const k of [0, 61, 1.5])
      await expect(topClasses(layer, hidden, k)).rejects.toThrow(
        `topClasses: k must be a whole number from 1 to 60 (the classes), got ${k}`,
      );
    await expect(topClasses(layer, hidden, 1, { exclude: csrFromLists([[], []], classes) })).rejects.toThrow(
      'exclude has 2 rows for 1 examples',
    );
    await expect(topClasses(layer, hidden, 1, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(layer.backend.memory().matrices).toBeGreaterThan(0);
  });
});
