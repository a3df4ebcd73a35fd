import { largestDrift, longRuns, runLong } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';

describe('100,000 steps in f32, d = 16, D = 2,000, m = 8, targets correlated with the activations', () => {
  it.each(longRuns(100_000).map((options) => ({ name: options.loss.name, options })))(
    '$name drifts by less than 2e-4 and learns',
    async ({ options }) => {
      const { firstLoss, lastLoss, verification, counters } = await runLong(options);
      expect(counters.steps).toBe(100_000);
      expect(largestDrift(verification), JSON.stringify(verification)).toBeLessThan(2e-4);
      expect(lastLoss).toBeLessThan(0.99 * firstLoss);
    },
  );
});
