/** Weights of classes on the unobserved part, against dense f64 SGD on W with a rate of its own for each class. */
import { createMatrixFrom, createPlainBackend, OptionError, read, write, type Precision } from '@vastmax/linalg-core';
import {
  createFactoredOutputLayer,
  implicitLoss,
  rg2Loss,
  sphericalSoftmax,
  squaredError,
  taylorSoftmax,
  withUnobservedWeights,
  zLoss,
} from '@vastmax/spherical-losses';
import { relativeError } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { createBatches } from '../../src/testing/exactness-run.ts';

const [classes, width, m, unobservedWeight] = [80, 7, 6, 0.2];
const weights = Float64Array.from({ length: classes }, (_, i) => 0.25 + ((i * 5) % 11) / 4);

/** One step on W, D×d. @returns the losses and ∇H. */
function denseStep(
  w: Float64Array,
  hidden: Float64Array,
  targets: ReturnType<ReturnType<typeof createBatches>>['targets'],
  learningRate: number,
): { losses: Float64Array; hiddenGradient: Float64Array } {
  const losses = new Float64Array(m);
  const hiddenGradient = new Float64Array(m * width);
  const changes = new Float64Array(w.length);
  for (let j = 0; j < m; j++) {
    const given = new Map<number, number>();
    for (let entry = targets.offsets[j]!; entry < targets.offsets[j + 1]!; entry++) {
      const target = targets.indices[entry]!;
      given.set(target, (given.get(target) ?? 0) + (targets.values?.[entry] ?? 1));
    }
    for (let k = 0; k < classes; k++) {
      let output = 0;
      for (let i = 0; i < width; i++) output += w[k * width + i]! * hidden[j * width + i]!;
      const y = given.get(k) ?? 0;
      losses[j]! += unobservedWeight * weights[k]! * output ** 2 + y * (output - 1) ** 2;
      const gradient = (2 * unobservedWeight * weights[k]! * output + 2 * y * (output - 1)) / m;
      for (let i = 0; i < width; i++) {
        hiddenGradient[j * width + i]! += gradient * w[k * width + i]!;
        changes[k * width + i]! -= (learningRate / weights[k]!) * gradient * hidden[j * width + i]!;
      }
    }
  }
  for (let i = 0; i < w.length; i++) w[i]! += changes[i]!;
  return { losses, hiddenGradient };
}

describe('withUnobservedWeights', () => {
  const cases = (['f64', 'f32'] as const).flatMap((precision) =>
    (['small-batch', 'row'] as const).map((form) => ({ precision, form })),
  );
  it.each(cases)('is exact over 300 steps: $precision, $form', async ({ precision, form }) => {
    const backend = createPlainBackend({ precision });
    const learningRate = 0.01;
    const options = { precision, classes, width, batch: m, targets: 'ragged', steps: 300, learningRate } as const;
    const nextBatch = createBatches({
      ...options,
      loss: { name: 'implicit', unobservedWeight },
      initialScale: 0.3,
    });
    const dense = Float64Array.from({ length: classes * width }, (_, i) => Math.fround(0.3 * Math.sin(i * i)));
    using layer = await createFactoredOutputLayer(backend, {
      classes,
      features: width,
      bias: false,
      form,
      loss: withUnobservedWeights(implicitLoss({ unobservedWeight }), weights),
      initialRows: (first, count) =>
        dense
          .slice(first * width, (first + count) * width)
          .map((value, i) => value * Math.sqrt(weights[first + Math.floor(i / width)]!)),
    });
    using hiddenMatrix = backend.createMatrix(m, width);
    const bound = boundOf(precision);
    for (let step = 0; step < options.steps; step++) {
      const { hidden, targets } = nextBatch();
      write(hidden, hiddenMatrix);
      const { losses, hiddenGradient } = await layer.step(hiddenMatrix, targets, { learningRate });
      const expected = denseStep(dense, hidden, targets, learningRate);
      expect(relativeError(await read(hiddenGradient), expected.hiddenGradient)).toBeLessThan(bound);
      expect(relativeError(await read(losses), expected.losses)).toBeLessThan(bound);
    }
    // The scores are the outputs of W, by which classes are ranked.
    using scores = backend.createMatrix(1, classes);
    using one = createMatrixFrom(
      backend,
      1,
      width,
      Float64Array.from({ length: width }, (_, i) => i - 2),
    );
    layer.scores(one, 0, scores);
    const outputs = Float64Array.from({ length: classes }, (_, k) => {
      let output = 0;
      for (let i = 0; i < width; i++) output += dense[k * width + i]! * (i - 2);
      return output;
    });
    expect(relativeError(await read(scores), outputs)).toBeLessThan(bound);
  });

  it('is the loss itself where all weights are 1', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const batch = createBatches({
      ...{ loss: { name: 'rg2', pull: 1 }, precision: 'f64', classes, width, batch: m, targets: 3, steps: 1 },
      learningRate: 1,
      initialScale: 1,
    })();
    using hidden = createMatrixFrom(backend, m, width, batch.hidden);
    for (const loss of [implicitLoss(), squaredError({ targetValue: 3 }), sphericalSoftmax()]) {
      const values = await Promise.all(
        [loss, withUnobservedWeights(loss, new Float64Array(classes).fill(1))].map(async (each) => {
          using layer = await createFactoredOutputLayer(backend, { classes, features: width, loss: each });
          return (await read(await layer.evaluate(hidden, batch.targets))).slice();
        }),
      );
      expect(values[0]).toEqual(values[1]);
    }
  });

  it.each([
    [zLoss(), 'squaredDeviations'],
    [taylorSoftmax(), 's'],
    [rg2Loss(), 's'],
  ])('refuses a loss that uses s: $name', (loss, term) => {
    expect(() => withUnobservedWeights(loss, weights)).toThrow(OptionError);
    expect(() => withUnobservedWeights(loss, weights)).toThrow(new RegExp(`the loss ${loss.name} uses ${term}|uses s`));
  });

  it('refuses weights that are not above 0, and a loss with constants of its own', () => {
    expect(() => withUnobservedWeights(implicitLoss(), [1, 0])).toThrow(
      'withUnobservedWeights: the weight of class 1 must be a finite number above 0, got 0',
    );
    expect(() => withUnobservedWeights(sphericalSoftmax({ epsilon: [1, 2] }), [1, 1])).toThrow(
      'the loss spherical-softmax-with-prior has class constants of its own',
    );
  });
});

function boundOf(precision: Precision): number {
  return precision === 'f64' ? 1e-11 : 5e-5;
}
