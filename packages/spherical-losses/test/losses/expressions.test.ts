import fc from 'fast-check';
import { compareWithFiniteDifferences } from '@vastmax/autodiff/testing';
import { createMatrixFrom, createPlainBackend } from '@vastmax/linalg-core';
import {
  builtInLossNames,
  createBuiltInLoss,
  defineSphericalLoss,
  implicitLoss,
  rg2Loss,
  rgxLoss,
  sphericalSoftmax,
  squaredError,
  zLoss,
  type SphericalLoss,
} from '@vastmax/spherical-losses';
import { denseLoss, relativeError, type ReferenceLoss } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { bouchard } from './bouchard.ts';
import { applyLoss, lossOf } from './loss-on-outputs.ts';

const references: readonly ReferenceLoss[] = [
  { name: 'squared-error', targetValue: 1 },
  { name: 'squared-error', targetValue: 10 },
  { name: 'spherical-softmax', epsilon: 1 },
  { name: 'spherical-softmax', epsilon: 0.05 },
  { name: 'taylor-softmax' },
  { name: 'z-loss', a: 0.1, b: 10 },
  { name: 'z-loss', a: 1.5, b: -2 },
  { name: 'implicit', unobservedWeight: 0.01 },
  { name: 'implicit', unobservedWeight: 2 },
  { name: 'rg2', pull: 1 },
  { name: 'rg2', pull: 0.1 },
  { name: 'rgx', pull: 3, interaction: 0.01 },
  { name: 'rgx', pull: 1, interaction: 0.9 },
];

const examples = fc.record({
  outputs: fc
    .array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 4, maxLength: 20 })
    .filter((list) => new Set(list).size > 3),
  targets: fc.array(fc.tuple(fc.nat({ max: 3 }), fc.double({ min: 0.1, max: 3, noNaN: true })), {
    minLength: 1,
    maxLength: 4,
  }),
});

function spread(outputs: readonly number[]): number {
  return Math.max(...outputs) - Math.min(...outputs);
}

describe('the loss expressions', () => {
  it.each(references)('equal the papers’ formulas, value and gradient: $name', async (reference) => {
    const { name, ...options } = reference;
    const loss = createBuiltInLoss(name, options);
    await fc.assert(
      fc.asyncProperty(examples, async ({ outputs, targets }) => {
        // A deviation of almost nothing makes z enormous, and its formula too.
        fc.pre(spread(outputs) > 0.5);
        const o = Float64Array.from(outputs);
        const merged = new Map(targets);
        const expected = new Float64Array(o.length);
        const value = denseLoss(reference, o, merged, expected);
        const actual = await applyLoss(loss, o, merged);
        expect(Math.abs(actual.value - value)).toBeLessThan(1e-10 * Math.max(1, Math.abs(value)));
        expect(Math.max(...actual.gradient.map((g, k) => Math.abs(g - expected[k]!)))).toBeLessThan(
          1e-9 * Math.max(1, ...expected.map(Math.abs)),
        );
      }),
      { numRuns: 40 },
    );
  });

  const losses: readonly SphericalLoss[] = [...builtInLossNames.map((name) => createBuiltInLoss(name)), bouchard];
  it.each(losses)('have the α, β and γ of their finite differences: $name', async (loss) => {
    const backend = createPlainBackend({ precision: 'f64' });
    using weights = createMatrixFrom(backend, 2, 1, [1, 0.5]);
    using ones = createMatrixFrom(backend, 2, 1, [1, 1]);
    const errors = await compareWithFiniteDifferences(
      backend,
      (tape, [squaredDeviations, s, output]) => lossOf(loss, tape, { squaredDeviations, s, output }, weights, ones, 12),
      [
        { rows: 1, columns: 1, values: [31] },
        { rows: 1, columns: 1, values: [-4] },
        { rows: 2, columns: 1, values: [1.7, -0.4] },
      ],
    );
    expect(Math.max(...errors)).toBeLessThan(1e-7);
  });
});

describe('options', () => {
  it.each([
    [() => squaredError({ targetValue: 0 }), 'squared-error: targetValue must be a finite number above 0, got 0'],
    [() => sphericalSoftmax({ epsilon: -1 }), 'spherical-softmax: epsilon must be a finite number above 0, got -1'],
    [
      () => sphericalSoftmax({ epsilon: [1, 0] }),
      'spherical-softmax: epsilon of class 1 must be a finite number above 0, got 0',
    ],
    [() => implicitLoss({ unobservedWeight: 0 }), 'implicit: unobservedWeight must be a finite number above 0, got 0'],
    [() => rg2Loss({ pull: -1 }), 'rg2: pull must be a finite number above 0, got -1'],
    [() => rgxLoss({ pull: 0 }), 'rgx: pull must be a finite number above 0, got 0'],
    [() => rgxLoss({ interaction: 1 }), 'rgx: interaction must be from 0 to below 1, got 1'],
    [() => zLoss({ a: Number.NaN }), 'z-loss: a must be a finite number above 0, got NaN'],
    [() => zLoss({ b: Infinity }), 'z-loss: b must be a finite number, got Infinity'],
    [
      () => defineSphericalLoss({ name: 'mine', options: { c: Number.NaN }, perTarget: ({ output }) => output }),
      'mine: c must be a finite number, got NaN',
    ],
    [() => createBuiltInLoss('softmax'), "no built-in loss is called 'softmax'; there are z-loss, spherical-softmax"],
  ])('are checked %#', (make, message) => {
    expect(make).toThrow(RangeError);
    expect(make).toThrow(message);
  });

  it('tell which losses are normalised', () => {
    expect(builtInLossNames.filter((name) => createBuiltInLoss(name).isNormalized)).toEqual([
      'spherical-softmax',
      'taylor-softmax',
    ]);
  });

  it.each([sphericalSoftmax(), createBuiltInLoss('taylor-softmax')])(
    'a normalised loss is −log of probabilities that sum to one: $name',
    async (loss) => {
      const outputs = Float64Array.of(1, -2, 0.3, 4, 0);
      let total = 0;
      for (let target = 0; target < outputs.length; target++)
        total += Math.exp(-(await applyLoss(loss, outputs, new Map([[target, 1]]))).value);
      expect(relativeError([total], [1])).toBeLessThan(1e-14);
    },
  );
});
