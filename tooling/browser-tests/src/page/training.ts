// A few hundred training steps of a factored output layer, the same on every engine: neither the data nor the initial
// weights use a sine or logarithm of the engine, which engines may round differently.

import { createMatrixFrom, read, Scope, type Backend } from '@vastmax/linalg-core';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, zLoss } from '@vastmax/spherical-losses';

export interface Training {
  /** The mean loss of each minibatch, one per step. */
  readonly losses: readonly number[];
  /** The hidden gradient of the last step, batchSize×features. */
  readonly hiddenGradient: readonly number[];
}

const classes = 3000;
const features = 48;
const batchSize = 32;
const batches = 4;
const steps = 300;

/** Z-loss, D = 3000, d = 48 and a bias, m = 32; four minibatches that alternate. */
export async function train(backend: Backend): Promise<Training> {
  const random = new RandomGenerator(7);
  const uniform = (count: number, scale: number): Float32Array =>
    Float32Array.from({ length: count }, () => scale * (2 * random.uniform() - 1));
  using scope = new Scope(backend);
  using layer = await createFactoredOutputLayer(backend, {
    classes,
    features,
    loss: zLoss({ a: 0.1, b: 10 }),
    initialRows: (_first, count) => uniform(count * (features + 1), 0.02),
  });
  const data = Array.from({ length: batches }, () => ({
    hidden: scope.own(createMatrixFrom(backend, batchSize, features, uniform(batchSize * features, 1))),
    targets: singleTargets(
      Int32Array.from({ length: batchSize }, () => random.integer(classes)),
      classes,
    ),
  }));
  const losses: number[] = [];
  let hiddenGradient: readonly number[] = [];
  for (let step = 0; step < steps; step++) {
    const { hidden, targets } = data[step % batches]!;
    const result = await layer.step(hidden, targets, { learningRate: 1 });
    losses.push(mean(await read(result.losses)));
    if (step === steps - 1) hiddenGradient = Array.from(await read(result.hiddenGradient));
  }
  return { losses, hiddenGradient };
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
