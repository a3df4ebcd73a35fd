import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { predictClasses } from '@vastmax/lm-models/labels';
import { csrFromLists, singleTargets } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { normals } from '../numbers.ts';
import { classes, createLayer, everyChoice, features } from './every-layer.ts';

const examples = 3;

describe('predictClasses', () => {
  it.each(everyChoice)('gives the probabilities of %s, or none', async (_name, choice) => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await createLayer(backend, choice);
    using hidden = createMatrixFrom(backend, examples, features, normals(examples * features, 8));
    // A step, so that the weights are no more those of the start.
    await layer.step(hidden, csrFromLists([[3], [17], [39]], classes), { learningRate: 0.1 });
    const best = await predictClasses(layer, hidden, classes);
    if (!layer.isNormalized) {
      expect(best.probabilities).toBeUndefined();
      return;
    }
    const probabilities = best.probabilities ?? new Float64Array();
    for (let example = 0; example < examples; example++) {
      const own = probabilities.subarray(example * classes, (example + 1) * classes);
      expect(own.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 10);
      expect([...own]).toEqual([...own].sort((a, b) => b - a));
    }
    for (let place = 0; place < classes; place++) {
      const targets = Int32Array.from({ length: examples }, (_, example) => best.classes[example * classes + place]!);
      const losses = await read(await layer.evaluate(hidden, singleTargets(targets, classes)));
      for (let example = 0; example < examples; example++)
        expect(probabilities[example * classes + place]).toBeCloseTo(Math.exp(-losses[example]!), 10);
    }
  });

  it('gives class −1, where there is none left, probability 0', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await createLayer(backend, { kind: 'full', initialScale: 1, seed: 3 });
    using hidden = createMatrixFrom(backend, 1, features, normals(features, 8));
    const exclude = csrFromLists([Array.from({ length: classes - 1 }, (_, k) => k)], classes);
    const { classes: found, probabilities } = await predictClasses(layer, hidden, 2, { exclude });
    expect([...found]).toEqual([classes - 1, -1]);
    expect(probabilities?.[0]).toBeGreaterThan(0);
    expect(probabilities?.[1]).toBe(0);
  });
});
