import {
  exactnessMatrix,
  rebaseCases,
  judgeExactness,
  runExactness,
  singularCases,
} from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { denseRunOf } from './dense-run-of.ts';

describe('exactness over 2,000 steps, against dense f64 SGD', () => {
  // The layer's own choice is one of the two forms at each step; the bench command runs it in all combinations.
  const cases = exactnessMatrix().filter(
    ({ form, options }) => form !== 'auto' || (options.targets === 'ragged' && options.weightDecay !== 0),
  );
  it.each(cases)('$id', async ({ options }) => {
    const result = await runExactness(options, denseRunOf(options));
    expect(result.movement, 'training moves the weights').toBeGreaterThan(0.1);
    expect(judgeExactness(result, options.precision), JSON.stringify(result)).toMatchObject({ pass: true });
  });
});

describe('dozens of rebases', () => {
  it.each(rebaseCases())('$id', async ({ options }) => {
    const result = await runExactness(options, denseRunOf(options));
    expect(result.counters.rebases).toBeGreaterThan(48);
    // Touched rows are at most batch·targets a step; only the sweep reaches the others.
    expect(result.counters.transformsApplied).toBeGreaterThan(0);
    expect(judgeExactness(result, options.precision), JSON.stringify(result)).toMatchObject({
      pass: true,
      criterion: 'bound',
    });
  });
});

describe('singular steps', () => {
  it.each(singularCases())('$id: twenty in two hundred', async ({ options }) => {
    const result = await runExactness(options, denseRunOf(options));
    expect(result.counters.singularSteps).toBe(20);
    expect(judgeExactness(result, options.precision), JSON.stringify(result)).toMatchObject({
      pass: true,
      criterion: 'bound',
    });
  });

  const nearly = singularCases().flatMap((one) =>
    [1e-12, 1e-7, 1e-4, 1e-3, 0.01, 0.03, 0.1].map((distance) => ({ ...one, distance })),
  );
  it.each(nearly)('$id: nearly singular, $distance away', async ({ options, distance }) => {
    const near = { ...options, singularDistance: distance };
    const result = await runExactness(near, denseRunOf(near));
    expect(judgeExactness(result, options.precision), JSON.stringify(result)).toMatchObject({
      pass: true,
      criterion: 'bound',
    });
  });
});
