import { createMatrixFrom, createPlainBackend, read, type Matrix } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { createFullSoftmaxLayer, type FullSoftmaxOptions } from '@vastmax/softmax-losses';
import { describe, expect, it } from 'vitest';
import { readWeights } from '../subjects.ts';

const classes = 11;
const features = 4;
const m = 3;
const random = new RandomGenerator(3);
const hiddenValues = Float64Array.from({ length: m * features }, () => random.normal());
const classWeights = Float64Array.from({ length: classes }, (_, k) => 0.2 + (k % 4));
const lists = [[3, 3, 8], [10], [0, 5]];
const targetWeights = [[0.5, 1, 2], [1], [0.3, 1.7]];

/** −Σ_k w_k y'_k log p_k with y' = (1 − ε) y + ε T/D, and its slope at each output, all written out. */
function naiveLoss(
  outputs: readonly number[],
  example: number,
  smoothing: number,
  weights: ArrayLike<number>,
): { loss: number; slopes: number[] } {
  const y = Array.from({ length: classes }, () => 0);
  lists[example]!.forEach((k, i) => (y[k]! += targetWeights[example]![i]!));
  const total = y.reduce((sum, value) => sum + value, 0);
  const smooth = y.map((value, k) => weights[k]! * ((1 - smoothing) * value + (smoothing * total) / classes));
  const logPartition = Math.log(outputs.reduce((sum, output) => sum + Math.exp(output), 0));
  const amount = smooth.reduce((sum, value) => sum + value, 0);
  return {
    loss: smooth.reduce((sum, value, k) => sum + value * (logPartition - outputs[k]!), 0),
    slopes: smooth.map((value, k) => amount * Math.exp(outputs[k]! - logPartition) - value),
  };
}

const cases: readonly (readonly [name: string, options: Partial<FullSoftmaxOptions>])[] = [
  ['label smoothing', { labelSmoothing: 0.2 }],
  ['class weights', { classWeights }],
  ['both', { labelSmoothing: 0.1, classWeights }],
  ['both, in one block', { labelSmoothing: 0.1, classWeights, blockClasses: 50 }],
];

describe('options of the full softmax', () => {
  it.each(cases)('%s: losses, gradient and update as written out', async (_, options) => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await createFullSoftmaxLayer(backend, {
      classes,
      features,
      bias: false,
      initialScale: 0.5,
      blockClasses: 4,
      ...options,
    });
    using hidden = createMatrixFrom(backend, m, features, hiddenValues);
    const weights = await readWeights(layer);
    const { losses, hiddenGradient } = await layer.step(hidden, csrFromLists(lists, classes, targetWeights), {
      learningRate: 0.7,
    });
    const [ownLosses, ownGradient, after] = [await read(losses), await read(hiddenGradient), await readWeights(layer)];
    const expected = weights.slice();
    for (let j = 0; j < m; j++) {
      const h = hiddenValues.subarray(j * features, (j + 1) * features);
      const outputs = Array.from({ length: classes }, (__, k) =>
        h.reduce((sum, value, i) => sum + value * weights[k * features + i]!, 0),
      );
      const { loss, slopes } = naiveLoss(
        outputs,
        j,
        options.labelSmoothing ?? 0,
        options.classWeights ?? new Float64Array(classes).fill(1),
      );
      expect(ownLosses[j]).toBeCloseTo(loss, 12);
      for (let i = 0; i < features; i++) {
        expect(ownGradient[j * features + i]).toBeCloseTo(
          slopes.reduce((sum, slope, k) => sum + (slope * weights[k * features + i]!) / m, 0),
          12,
        );
        for (let k = 0; k < classes; k++) expected[k * features + i]! -= (0.7 * slopes[k]! * h[i]!) / m;
      }
    }
    after.forEach((weight, i) => {
      expect(weight).toBeCloseTo(expected[i]!, 12);
    });
  });

  it('ignoreIndex leaves the targets of that class out, and the mean over all examples', async () => {
    const seen = [];
    for (const [options, targets] of [
      [{ ignoreIndex: 5 }, csrFromLists([[5], [2, 5], [7]], classes)],
      [{}, csrFromLists([[], [2], [7]], classes)],
    ] as const) {
      using layer = await createFullSoftmaxLayer(createPlainBackend({ precision: 'f64' }), {
        classes,
        features,
        initialScale: 0.5,
        ...options,
      });
      using hidden = createMatrixFrom(layer.backend, m, features, hiddenValues);
      const evaluated = Array.from(await read(await layer.evaluate(hidden, targets)));
      const { losses, hiddenGradient } = await layer.step(hidden, targets, { learningRate: 0.5 });
      seen.push([evaluated, await read(losses), await read(hiddenGradient), await readWeights(layer)]);
    }
    expect(seen[0]).toEqual(seen[1]);
  });

  it('starts at the probabilities of its initial biases', async () => {
    const initialBiases = Float64Array.from({ length: classes }, (_, k) => Math.log((k + 1) / 66));
    using layer = await createFullSoftmaxLayer(createPlainBackend({ precision: 'f64' }), {
      classes,
      features,
      initialScale: 0,
      initialBiases,
    });
    using hidden = createMatrixFrom(layer.backend, m, features, hiddenValues);
    const losses = await read(await layer.evaluate(hidden, singleTargets(Int32Array.of(0, 4, 10), classes)));
    expect(Array.from(losses, (loss) => Math.round(66 * Math.exp(-loss)))).toEqual([1, 5, 11]);
  });

  it('refuses what cannot be', async () => {
    const refused: readonly (readonly [Partial<FullSoftmaxOptions>, string])[] = [
      [{ labelSmoothing: 1 }, 'labelSmoothing must be at least 0 and less than 1, got 1'],
      [{ classWeights: new Float64Array(3) }, '3 classWeights for 11 classes'],
      [{ classWeights: classWeights.with(2, -1) }, 'classWeights of class 2 is -1'],
      [{ ignoreIndex: 11 }, 'ignoreIndex must be a whole number from 0 to 10, got 11'],
      [{ initialBiases: [1] }, '1 initialBiases for 11 classes'],
      [{ initialBiases: new Float64Array(11), bias: false }, 'initialBiases need biases'],
      [{ blockClasses: 0 }, 'blockClasses must be'],
    ];
    for (const [options, message] of refused) {
      await expect(createFullSoftmaxLayer(createPlainBackend(), { classes, features, ...options })).rejects.toThrow(
        message,
      );
    }
  });
});

describe('many classes', () => {
  it('log Z over a million classes is right to f32 rounding, in f32', async () => {
    const many = 1_000_000;
    const initialBiases = Float32Array.from({ length: many }, (_, k) => 4 * Math.sin(k));
    using layer = await createFullSoftmaxLayer(createPlainBackend({ precision: 'f32' }), {
      classes: many,
      features: 1,
      initialScale: 0,
      initialBiases,
    });
    using hidden = createMatrixFrom(layer.backend, 1, 1, [1]);
    const losses = await read(await layer.evaluate(hidden, singleTargets(Int32Array.of(0), many)));
    // The bias of class 0 is 0, so the loss is log Z. 1e-7 of its size is a rounding or two.
    const logPartition = Math.log(initialBiases.reduce((sum, bias) => sum + Math.exp(bias), 0));
    expect(Math.abs(losses[0]! - logPartition) / logPartition).toBeLessThan(1.5e-7);
  });

  it('never holds m×D numbers', async () => {
    const backend = createPlainBackend({ precision: 'f32' });
    let largest = 0;
    const { createMatrix } = backend;
    Object.assign(backend, {
      createMatrix: (rows: number, columns: number): Matrix => {
        largest = Math.max(largest, rows * columns);
        return createMatrix.call(backend, rows, columns);
      },
    });
    using layer = await createFullSoftmaxLayer(backend, { classes: 50_000, features: 2 });
    using hidden = backend.createMatrix(64, 2);
    const targets = singleTargets(new Int32Array(64).fill(7), 50_000);
    await layer.step(hidden, targets, { learningRate: 0.1 });
    await layer.evaluate(hidden, targets);
    expect(largest).toBeLessThanOrEqual(64 * 1024);
  });
});
