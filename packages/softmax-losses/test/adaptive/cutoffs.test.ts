import { createPlainBackend } from '@vastmax/linalg-core';
import { balancedCutoffs, createAdaptiveSoftmaxLayer } from '@vastmax/softmax-losses';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('balancedCutoffs', () => {
  it('are ascending, from 1 to below D, with at most so many tails', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5000 }),
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 4 }),
        (classes, features, tails) => {
          const cutoffs = balancedCutoffs({ classes, features, tails });
          expect(cutoffs.length).toBeGreaterThanOrEqual(1);
          expect(cutoffs.length).toBeLessThanOrEqual(tails);
          [0, ...cutoffs, classes].reduce((last, next) => {
            expect(next).toBeGreaterThan(last);
            return next;
          });
        },
      ),
    );
  });

  it('hold two thirds of the occurrences in the shortlist', () => {
    const frequencies = Float64Array.from({ length: 20_000 }, (_, k) => 1e6 / (k + 5) ** 1.1);
    const total = frequencies.reduce((sum, count) => sum + count, 0);
    const [shortlist = 0] = balancedCutoffs({ classes: 20_000, features: 128, frequencies });
    const held = frequencies.subarray(0, shortlist).reduce((sum, count) => sum + count, 0);
    expect(held / total).toBeGreaterThanOrEqual(2 / 3);
    expect(shortlist).toBeLessThan(5000);
  });

  it('give a smaller shortlist where few classes hold most', () => {
    const steep = Float64Array.from({ length: 1000 }, (_, k) => 2 ** -k);
    expect(balancedCutoffs({ classes: 1000, features: 64, frequencies: steep })[0]).toBeLessThan(
      balancedCutoffs({ classes: 1000, features: 64 })[0]!,
    );
  });
});

describe('cutoffs of the adaptive softmax', () => {
  it.each([[[]], [[0, 5]], [[5, 5]], [[7, 5]], [[5, 20]], [[2.5]]])('refuses %j for 20 classes', async (cutoffs) => {
    await expect(
      createAdaptiveSoftmaxLayer(createPlainBackend(), { classes: 20, features: 4, cutoffs }),
    ).rejects.toThrow(
      `cutoffs must be whole numbers from 1 to 19 in ascending order, at least one, got [${cutoffs.join(', ')}]`,
    );
  });

  it('refuses a divValue below 1 and a single class', async () => {
    await expect(
      createAdaptiveSoftmaxLayer(createPlainBackend(), { classes: 20, features: 4, divValue: 0.5 }),
    ).rejects.toThrow('divValue');
    await expect(createAdaptiveSoftmaxLayer(createPlainBackend(), { classes: 1, features: 4 })).rejects.toMatchObject({
      code: 'bad-option',
    });
  });
});
