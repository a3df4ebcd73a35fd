import fc from 'fast-check';
import { createMatrixFrom, createPlainBackend, read, type Precision } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, zLoss } from '@vastmax/spherical-losses';
import { DenseReference, relativeError } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { applyLoss } from './loss-on-outputs.ts';

describe('the Z-loss', () => {
  it('does not change when all outputs are scaled by κ > 0 and shifted by c; its gradient shrinks by κ', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.nat(),
        async (factor, shift, seed) => {
          const random = new RandomGenerator(seed);
          const outputs = Float64Array.from({ length: 15 }, () => random.normal());
          const targets = new Map([
            [2, 1],
            [7, 0.5],
          ]);
          const plain = await applyLoss(zLoss(), outputs, targets);
          const moved = await applyLoss(
            zLoss(),
            outputs.map((o) => factor * o + shift),
            targets,
          );
          // An output is known to (μ/σ)·ε deviations.
          const tolerance = 1e-12 * (1 + Math.abs(shift / factor));
          expect(Math.abs(moved.value - plain.value)).toBeLessThan(tolerance * plain.value);
          expect(
            relativeError(
              moved.gradient.map((g) => factor * g),
              plain.gradient,
            ),
          ).toBeLessThan(10 * tolerance);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('has a gradient orthogonal to shifts and scalings of the outputs', async () => {
    const random = new RandomGenerator(5);
    const outputs = Float64Array.from({ length: 20 }, () => 2 + random.normal());
    const { gradient } = await applyLoss(zLoss({ a: 0.5, b: 3 }), outputs, new Map([[4, 1]]));
    expect(Math.abs(gradient.reduce((sum, g) => sum + g, 0))).toBeLessThan(1e-13);
    expect(Math.abs(gradient.reduce((sum, g, k) => sum + g * outputs[k]!, 0))).toBeLessThan(1e-13);
  });

  it('has a negative α where the target is below the mean, so nothing may assume its sign', async () => {
    const { alpha } = await applyLoss(zLoss(), Float64Array.of(-3, 1, 2, 0.5), new Map([[0, 1]]));
    expect(alpha).toBeLessThan(0);
  });

  /** Relative error of ∇H when the mean of the outputs is `ratio` standard deviations: σ² = q/D − μ² would cancel. */
  async function errorAt(precision: Precision, ratio: number): Promise<number> {
    const [classes, width, m] = [2000, 16, 8];
    const random = new RandomGenerator(1);
    const center = Float64Array.from({ length: width }, () => random.normal());
    const values = Float64Array.from({ length: m * width }, (_, i) =>
      Math.fround(center[i % width]! + 0.1 * random.normal()),
    );
    const squares = center.reduce((sum, x) => sum + x * x, 0);
    const weights = Float64Array.from({ length: classes * width }, (_, i) =>
      Math.fround(0.1 * random.normal() + (0.1 * ratio * center[i % width]!) / Math.sqrt(squares)),
    );
    const targets = csrFromLists(
      Array.from({ length: m }, () => [random.integer(classes)]),
      classes,
    );
    const backend = createPlainBackend({ precision });
    using layer = await createFactoredOutputLayer(backend, {
      classes,
      features: width,
      bias: false,
      loss: zLoss(),
      initialRows: (first, count) => weights.subarray(first * width, (first + count) * width),
    });
    using hidden = createMatrixFrom(backend, m, width, values);
    const { hiddenGradient } = await layer.step(hidden, targets, { learningRate: 0 });
    const expected = new DenseReference(weights.slice(), width, { name: 'z-loss', a: 0.1, b: 10 }).step(
      values,
      targets,
      0,
    );
    return relativeError(await read(hiddenGradient), expected.hiddenGradient);
  }

  it('keeps its accuracy when the mean of the outputs is many deviations from 0', async () => {
    // From q/D − μ² the f32 errors were 1e-4 at 30 and 1e-3 at 100 deviations: (μ/σ)²·ε. From the centred Gram matrix
    // (μ/σ)·ε is left.
    const ratios = [0, 10, 30, 100];
    const errors = await Promise.all(ratios.map((ratio) => errorAt('f32', ratio)));
    for (const [place, ratio] of ratios.entries()) expect(errors[place]).toBeLessThan(2e-6 * (1 + ratio / 5));
    // In f64 the dense reference's own mean is what is left: it sums 2,000 outputs of one sign.
    expect(await errorAt('f64', 30)).toBeLessThan(1e-12);
    expect(await errorAt('f64', 300)).toBeLessThan(1e-10);
  });
});
