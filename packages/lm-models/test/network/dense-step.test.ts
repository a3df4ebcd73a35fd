/**
 * The whole model against one in which everything is stored: W dense with the loss's gradient by hand (DenseReference),
 * the body by naive back-propagation. Same minibatches, same rates, several steps, f64.
 */
import { Tape } from '@vastmax/autodiff';
import { createPlainBackend } from '@vastmax/linalg-core';
import { NgramBody, Optimizer } from '@vastmax/lm-models';
import { sgdRule } from '@vastmax/update-rules';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { createBuiltInLoss, createFactoredOutputLayer } from '@vastmax/spherical-losses';
import { DenseReference, type ReferenceLoss } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { largestError, rowsOf, valuesOf } from '../numbers.ts';
import { naiveTwinOf } from '../bodies/naive-ngram.ts';

const words = 11;
const order = 2;

function withOnes(hidden: Float64Array, features: number): Float64Array {
  const width = features + 1;
  return Float64Array.from({ length: (hidden.length / features) * width }, (_, i) =>
    i % width === features ? 1 : hidden[Math.floor(i / width) * features + (i % width)]!,
  );
}

const cases: readonly (readonly [ReferenceLoss, number, number, number])[] = [
  [{ name: 'squared-error', targetValue: 3 }, 0.02, 0.05, 4],
  [{ name: 'z-loss', a: 0.1, b: 10 }, 0.2, 0.5, 4],
  // More examples than features: the row form of the exact step.
  [{ name: 'squared-error', targetValue: 3 }, 0.02, 0.05, 16],
  [{ name: 'spherical-softmax', epsilon: 1 }, 0.5, 0.5, 4],
  [{ name: 'taylor-softmax' }, 0.5, 0.5, 4],
];

describe('a training step of the body and the factored layer', () => {
  it.each(cases)(
    'equals dense gradient descent: %j, output rate %d, body rate %d, %d examples',
    async (loss, outputRate, bodyRate, examples) => {
      const backend = createPlainBackend({ precision: 'f64' });
      using body = new NgramBody(backend, { words, order, embedding: 3, hidden: [6, 5], seed: 3 });
      const { name, ...lossOptions } = loss;
      using layer = await createFactoredOutputLayer(backend, {
        classes: words,
        features: 5,
        loss: createBuiltInLoss(name, lossOptions),
        initialScale: 0.3,
      });
      using optimizer = new Optimizer(backend, body.parameters, sgdRule());
      using tape = new Tape(backend);
      using weights = backend.createMatrix(words, 6);
      layer.denseRows(0, weights);
      const start = await valuesOf(weights);
      const dense = new DenseReference(start.slice(), 6, loss);
      const twin = await naiveTwinOf(body);
      const random = new RandomGenerator(8);
      for (let step = 0; step < 8; step++) {
        const contexts = Int32Array.from({ length: examples * order }, () => random.integer(words));
        const targets = singleTargets(
          Int32Array.from({ length: examples }, () => random.integer(4)),
          words,
        );

        const hidden = body.forward(tape, { contexts, size: examples }, { training: true });
        const { losses, hiddenGradient } = await layer.step(hidden.value, targets, { learningRate: outputRate });
        tape.backward(hidden, hiddenGradient);
        optimizer.step(bodyRate);
        const actualLosses = await valuesOf(losses);
        const actualGradient = await valuesOf(hiddenGradient);
        tape.reset();

        const expected = dense.step(withOnes(twin.forward(contexts), 5), targets, outputRate);
        const expectedGradient = expected.hiddenGradient.filter((_, i) => i % 6 !== 5);
        twin.descend(contexts, expectedGradient, bodyRate);

        expect(largestError(actualLosses, expected.losses)).toBeLessThan(1e-11);
        expect(largestError(actualGradient, expectedGradient)).toBeLessThan(1e-11);
        layer.denseRows(0, weights);
        expect(largestError(await valuesOf(weights), dense.weights)).toBeLessThan(1e-11);
        expect(largestError(await rowsOf(body.embeddings.table), twin.embeddings)).toBeLessThan(1e-11);
        for (const [i, { value }] of body.parameters.matrices.entries()) {
          const stored = twin.layers[Math.floor(i / 2)]!;
          expect(largestError(await valuesOf(value), i % 2 === 0 ? stored.weights : stored.bias)).toBeLessThan(1e-11);
        }
      }
      // A model that does not move shows nothing.
      expect(largestError(await valuesOf(weights), start)).toBeGreaterThan(0.01);
    },
  );
});
