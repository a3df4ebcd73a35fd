import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { singleTargets } from '@vastmax/sparse-data';
import {
  createFactoredOutputLayer,
  sphericalSoftmax,
  taylorSoftmax,
  zLoss,
  type SphericalLoss,
} from '@vastmax/spherical-losses';
import { describe, expect, it } from 'vitest';

const classes = 50;
const features = 3;
const backend = createPlainBackend({ precision: 'f64' });
const prior = Float64Array.from({ length: classes }, (_, k) => 2 / (k + 1));

describe.each<[name: string, loss: SphericalLoss]>([
  ['spherical softmax', sphericalSoftmax({ epsilon: 0.3 })],
  ['spherical softmax with a prior', sphericalSoftmax({ epsilon: prior })],
  ['Taylor softmax', taylorSoftmax()],
])('%s', (_name, loss) => {
  it('gives each class the log-probability that its loss is minus of, by ranges and one by one', async () => {
    using layer = await createFactoredOutputLayer(backend, { classes, features, loss, initialScale: 0.7, seed: 2 });
    using hidden = createMatrixFrom(backend, 2, features, [1, -0.5, 2, 0.3, 1, -1]);
    await layer.step(hidden, singleTargets(Int32Array.of(3, 30), classes), { learningRate: 0.1 });
    using out = backend.createMatrix(2, classes);
    layer.logProbabilities(hidden, 0, out);
    const all = await read(out);
    for (const example of [0, 1]) {
      const own = Array.from(all).slice(example * classes, (example + 1) * classes);
      expect(own.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 12);
    }
    using column = backend.createMatrix(2, 1);
    for (let k = 0; k < classes; k++) {
      const losses = await read(await layer.evaluate(hidden, singleTargets(Int32Array.of(k, k), classes)));
      layer.classLogProbabilities(hidden, Int32Array.of(k, k), column);
      expect([...(await read(column))]).toEqual([-losses[0]!, -losses[1]!]);
      expect(all[k]).toBeCloseTo(-losses[0]!, 12);
      expect(all[classes + k]).toBeCloseTo(-losses[1]!, 12);
    }
    layer.logProbabilities(hidden, 17, out.resize(2, 4));
    expect(Array.from(await read(out), (value) => value.toFixed(12))).toEqual(
      [17, 18, 19, 20, 67, 68, 69, 70].map((i) => all[i]!.toFixed(12)),
    );
  });
});

it('refuses a loss without probabilities, and classes that there are not', async () => {
  using layer = await createFactoredOutputLayer(backend, { classes, features, loss: zLoss() });
  using hidden = backend.createMatrix(1, features);
  using out = backend.createMatrix(1, 1);
  expect(() => layer.logProbabilities(hidden, 0, out)).toThrow('the loss z-loss gives no probabilities');
  expect(() => layer.classLogProbabilities(hidden, Int32Array.of(0), out)).toThrow(
    'the loss z-loss gives no probabilities',
  );
  expect(() => layer.logProbabilities(hidden, 50, out)).toThrow(
    expect.objectContaining({ code: 'class-out-of-range' }),
  );
  expect(() => layer.classLogProbabilities(hidden, Int32Array.of(50), out)).toThrow(
    expect.objectContaining({ code: 'class-out-of-range' }),
  );
});
