import { createMatrixFrom, createPlainBackend, type Matrix, read } from '@vastmax/linalg-core';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { builtInLossNames, createBuiltInLoss } from '@vastmax/spherical-losses';
import { DenseReference, type ReferenceLoss, relativeError } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { DenseSoftmaxLayer } from '../../src/workload/dense-softmax-layer.ts';
import { DenseSphericalLayer } from '../../src/workload/dense-spherical-layer.ts';

// More than two blocks of 1,024 classes, the last one not full.
const classes = 2100;
const width = 5;
const batch = 6;
const learningRate = 0.3;
const references: Readonly<Record<string, ReferenceLoss>> = {
  'squared-error': { name: 'squared-error', targetValue: 1 },
  'spherical-softmax': { name: 'spherical-softmax', epsilon: 1 },
  'taylor-softmax': { name: 'taylor-softmax' },
  'z-loss': { name: 'z-loss', a: 0.1, b: 10 },
  implicit: { name: 'implicit', unobservedWeight: 0.01 },
  rg2: { name: 'rg2', pull: 1 },
  rgx: { name: 'rgx', pull: 1, interaction: 0.01 },
};

function randomNumbers(length: number, seed: number): Float64Array {
  const random = new RandomGenerator(seed);
  return Float64Array.from({ length }, () => random.normal());
}

const start = randomNumbers(classes * width, 1);
const hidden = randomNumbers(batch * width, 2);
// The first and the last of a block, and two examples of one class.
const targets = Int32Array.of(0, 1023, 1024, 2099, 2099, 7);
const initialRows = (first: number, count: number): Float64Array =>
  start.subarray(first * width, (first + count) * width);

async function joined(blocks: readonly Matrix[]): Promise<Float64Array> {
  const all = new Float64Array(classes * width);
  let place = 0;
  for (const block of blocks) {
    all.set(await read(block), place);
    place += block.rows * width;
  }
  return all;
}

describe('DenseSphericalLayer', () => {
  const cases = builtInLossNames.flatMap((name) => [true, false].map((keepOutputs) => ({ name, keepOutputs })));
  it.each(cases)('is dense SGD for $name, outputs kept: $keepOutputs', async ({ name, keepOutputs }) => {
    const reference = references[name];
    if (reference === undefined) throw new RangeError(`no reference for ${name}`);
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = new DenseSphericalLayer(backend, {
      classes,
      width,
      loss: createBuiltInLoss(name),
      initialRows,
      keepOutputs,
    });
    using matrix = createMatrixFrom(backend, batch, width, hidden);
    const dense = new DenseReference(start.slice(), width, reference);
    for (let step = 0; step < 2; step++) {
      const result = layer.step(matrix, targets, learningRate);
      const expected = dense.step(hidden, singleTargets(targets, classes), learningRate);
      expect(relativeError(await read(result.losses), expected.losses)).toBeLessThan(1e-12);
      expect(relativeError(await read(result.hiddenGradient), expected.hiddenGradient)).toBeLessThan(1e-12);
    }
    expect(relativeError(await joined(layer.blocks.weights), dense.weights)).toBeLessThan(1e-12);
  });
});

describe('DenseSoftmaxLayer', () => {
  it('is dense SGD for the log-softmax', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = new DenseSoftmaxLayer(backend, { classes, width, initialRows });
    using matrix = createMatrixFrom(backend, batch, width, hidden);
    const { losses, hiddenGradient } = layer.step(matrix, targets, learningRate);
    const expected = naiveSoftmaxStep();
    expect(relativeError(await read(losses), expected.losses)).toBeLessThan(1e-12);
    expect(relativeError(await read(hiddenGradient), expected.hiddenGradient)).toBeLessThan(1e-12);
    expect(relativeError(await joined(layer.blocks.weights), expected.weights)).toBeLessThan(1e-12);
  });
});

function naiveSoftmaxStep(): { losses: Float64Array; hiddenGradient: Float64Array; weights: Float64Array } {
  const weights = start.slice();
  const losses = new Float64Array(batch);
  const hiddenGradient = new Float64Array(batch * width);
  for (let j = 0; j < batch; j++) {
    const exponentials = new Float64Array(classes);
    let total = 0;
    for (let k = 0; k < classes; k++) {
      let output = 0;
      for (let i = 0; i < width; i++) output += start[k * width + i]! * hidden[j * width + i]!;
      exponentials[k] = Math.exp(output);
      total += exponentials[k]!;
    }
    losses[j] = -Math.log(exponentials[targets[j]!]! / total);
    for (let k = 0; k < classes; k++) {
      const gradient = (exponentials[k]! / total - (k === targets[j] ? 1 : 0)) / batch;
      for (let i = 0; i < width; i++) {
        hiddenGradient[j * width + i]! += gradient * start[k * width + i]!;
        weights[k * width + i]! -= learningRate * gradient * hidden[j * width + i]!;
      }
    }
  }
  return { losses, hiddenGradient, weights };
}
