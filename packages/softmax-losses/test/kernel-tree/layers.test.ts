/**
 * The layers over kernel trees in the suite of output layers. Their training loss is an estimate from new draws at
 * every step, so the cases that compare a step with an evaluation, or two steps with each other, do not apply;
 * gradient.test.ts has those with the draws held fixed.
 */
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { describeOutputLayer } from '@vastmax/output-layer/suite';
import { createQuadraticSoftmaxLayer, createRandomFourierSoftmaxLayer } from '@vastmax/softmax-losses';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { adamRule } from '@vastmax/update-rules';
import { describe, expect, it } from 'vitest';

const estimated = 'the loss of a step is an estimate from its draws, evaluate is exact';
const drawn = 'two steps draw different negatives';
const notApplicable = {
  'gradient/finite-differences': estimated,
  'gradient/finite-differences-after-training': estimated,
  'gradient/finite-differences-of-one-example': estimated,
  'gradient/losses-are-those-before-the-step': estimated,
  'minibatch/examples-without-targets': estimated,
  'minibatch/one-example-is-as-in-a-larger-one': drawn,
  'minibatch/the-order-of-examples-does-not-matter': drawn,
  'minibatch/example-weights-scale-the-gradient': drawn,
};
const backend = () => createPlainBackend({ precision: 'f64' });

describeOutputLayer({
  name: 'RF-softmax',
  backend,
  create: (on, request) =>
    createRandomFourierSoftmaxLayer(on, { ...request, temperature: 4, nu: 2, frequencies: 16, samples: 8 }),
  notApplicable,
});
describeOutputLayer({
  name: 'RF-softmax with Adam, every change followed, sums rebuilt often',
  backend,
  create: (on, request) =>
    createRandomFourierSoftmaxLayer(on, {
      ...request,
      rule: adamRule(),
      samples: 8,
      frequencies: 8,
      tree: { leafClasses: 1, tolerance: 0, rebuildEvery: 4 },
    }),
  notApplicable: {
    ...notApplicable,
    'minibatch/example-weights-scale-the-update': 'a step of Adam does not grow with the gradient',
  },
});
describeOutputLayer({
  name: 'quadratic softmax',
  backend,
  create: (on, request) => createQuadraticSoftmaxLayer(on, { ...request, initialScale: 0.3, samples: 8 }),
  notApplicable,
});
describeOutputLayer({
  name: 'quadratic softmax of cosines',
  backend,
  create: (on, request) => createQuadraticSoftmaxLayer(on, { ...request, temperature: 4, samples: 8 }),
  notApplicable,
});

const [classes, features] = [50, 6];

describe('a kernel-sampled layer', () => {
  it.each([
    ['random Fourier', createRandomFourierSoftmaxLayer],
    ['quadratic', createQuadraticSoftmaxLayer],
  ] as const)('with %s features learns to tell its classes, and its perplexity is exact', async (_, create) => {
    const on = backend();
    using layer = await create(on, { classes, features, samples: 20, temperature: 8 });
    // Another seed than the layer's own, or hidden would be the class vectors.
    const random = new RandomGenerator(5);
    const targets = singleTargets(
      Int32Array.from({ length: classes }, (_unused, row) => row),
      classes,
    );
    using hidden = createMatrixFrom(
      on,
      classes,
      features,
      Float64Array.from({ length: classes * features }, () => random.normal()),
    );
    const losses = async (): Promise<number> =>
      [...(await read(await layer.evaluate(hidden, targets)))].reduce((sum, loss) => sum + loss, 0) / classes;
    const before = await losses();
    for (let step = 0; step < 150; step++) await layer.step(hidden, targets, { learningRate: 2 });
    expect(await losses()).toBeLessThan(before / 3);
    expect(layer.isNormalized).toBe(true);
    using scores = on.createMatrix(classes, classes);
    layer.scores(hidden, 0, scores);
    const logits = await read(scores);
    expect(Math.max(...logits)).toBeLessThanOrEqual(8 + 1e-12);
    let mean = 0;
    for (let row = 0; row < classes; row++) {
      const line = [...logits.subarray(row * classes, (row + 1) * classes)];
      mean += (Math.log(line.reduce((sum, logit) => sum + Math.exp(logit), 0)) - line[row]!) / classes;
    }
    expect(await losses()).toBeCloseTo(mean, 12);
  });

  it('refuses bad sizes and options by name', async () => {
    const on = backend();
    await expect(createRandomFourierSoftmaxLayer(on, { classes: 0, features })).rejects.toThrow(
      'rf-softmax: classes must be a whole number',
    );
    await expect(createRandomFourierSoftmaxLayer(on, { classes, features, nu: 0 })).rejects.toThrow(
      'nu must be a finite number above 0, got 0',
    );
    await expect(createRandomFourierSoftmaxLayer(on, { classes, features, temperature: -1 })).rejects.toThrow(
      'temperature must be a finite number above 0, got -1',
    );
    await expect(createQuadraticSoftmaxLayer(on, { classes, features, alpha: -1 })).rejects.toThrow(
      'alpha must be a finite number of at least 0, got -1',
    );
    expect(on.memory()).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
  });
});
