/** mathematics.md §7: a Z-loss's rate goes with the squared scale of the weights, and not with that of the activations. */
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, zLoss } from '@vastmax/spherical-losses';
import { relativeError } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';

const [classes, features, m, steps] = [60, 6, 4, 40];

/** The losses of each step, and the weights at the end. */
async function trained(scale: {
  readonly weights: number;
  readonly activations: number;
  readonly rate: number;
}): Promise<{ readonly losses: Float64Array; readonly weights: Float64Array }> {
  const backend = createPlainBackend({ precision: 'f64' });
  using layer = await createFactoredOutputLayer(backend, {
    classes,
    features,
    loss: zLoss({ a: 0.3, b: 4 }),
    // A constant feature would not be scaled with the others.
    bias: false,
    initialScale: 0.1 * scale.weights,
    seed: 3,
  });
  const random = new RandomGenerator(7);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const hidden = Float64Array.from({ length: m * features }, () => scale.activations * random.normal());
    const targets = csrFromLists(
      Array.from({ length: m }, () => [random.integer(classes)]),
      classes,
    );
    using input = createMatrixFrom(backend, m, features, hidden);
    const result = await layer.step(input, targets, { learningRate: 0.02 * scale.rate });
    losses.push(...(await read(result.losses)));
  }
  using weights = backend.createMatrix(classes, features);
  layer.classVectors(0, weights);
  return { losses: Float64Array.from(losses), weights: Float64Array.from(await read(weights)) };
}

const one = { weights: 1, activations: 1, rate: 1 };

describe('the rate of a Z-loss', () => {
  it('times κ² with weights that start κ times as long: the same losses, and weights κ times as long', async () => {
    const plain = await trained(one);
    const scaled = await trained({ ...one, weights: 3, rate: 9 });
    expect(relativeError(scaled.losses, plain.losses)).toBeLessThan(1e-9);
    expect(
      relativeError(
        scaled.weights,
        plain.weights.map((weight) => 3 * weight),
      ),
    ).toBeLessThan(1e-9);
  });

  it('is the same for activations κ times as long: the same losses and weights', async () => {
    const plain = await trained(one);
    const scaled = await trained({ ...one, activations: 5 });
    expect(relativeError(scaled.losses, plain.losses)).toBeLessThan(1e-9);
    expect(relativeError(scaled.weights, plain.weights)).toBeLessThan(1e-9);
    // Otherwise the losses would be the same whatever the rate.
    const faster = await trained({ ...one, rate: 2 });
    expect(relativeError(faster.losses, plain.losses)).toBeGreaterThan(0.001);
  });

  it('makes the weights longer with each step', async () => {
    const length = (values: Float64Array): number => Math.hypot(...values);
    const start = await trained({ ...one, rate: 0 });
    const end = await trained(one);
    expect(length(end.weights)).toBeGreaterThan(length(start.weights));
  });
});
