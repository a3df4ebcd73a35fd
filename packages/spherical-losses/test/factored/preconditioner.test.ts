/** The preconditioned step against dense f64 SGD, whose P comes from Jacobi's eigenvalue method. */
import { appendFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  exactnessMatrix,
  judgeExactness,
  rebaseCases,
  runExactness,
  singularCases,
  type ExactnessOptions,
} from '@vastmax/spherical-losses/testing';
import { denseRunOf } from './dense-run-of.ts';

const powers = [0.5, 1] as const;
/** P differs much from I, and is computed often. */
const withPower = (options: ExactnessOptions, power: 0.5 | 1): ExactnessOptions => ({
  ...options,
  preconditioner: { power, damping: 0.05, decay: 0.9, refreshEvery: 7 },
});

describe('exact against dense f64 SGD with the same P, 500 steps', () => {
  const cases = exactnessMatrix(500)
    .filter(({ options, form }) => options.targets !== 1 && form !== 'auto')
    .flatMap((each) => powers.map((power) => ({ ...each, power })))
    .sort((a, b) => a.power - b.power);
  it.each(cases)('$id, power $power', async ({ options, power }) => {
    const run = withPower(options, power);
    const result = await runExactness(run, denseRunOf(run));
    appendFileSync('/tmp/prec.log', [result.weightError, result.gradientError, result.perturbedWeightError, result.movement, result.counters.rebases].join(' ') + '\n');
    expect(result.movement, 'training moves the weights').toBeGreaterThan(0.01);
    expect(judgeExactness(result, options.precision), JSON.stringify(result)).toMatchObject({ pass: true });
  });
});

describe('rebases', () => {
  it.each(rebaseCases(600).flatMap((each) => powers.map((power) => ({ ...each, power }))))(
    '$id, power $power',
    async ({ options, power }) => {
      const run = withPower(options, power);
      const result = await runExactness(run, denseRunOf(run));
    appendFileSync('/tmp/prec.log', [result.weightError, result.gradientError, result.perturbedWeightError, result.movement, result.counters.rebases].join(' ') + '\n');
      expect(result.counters.rebases).toBeGreaterThan(5);
      expect(judgeExactness(result, options.precision), JSON.stringify(result)).toMatchObject({ pass: true });
    },
  );
});

describe('singular steps', () => {
  it.each(singularCases().flatMap((each) => powers.map((power) => ({ ...each, power }))))(
    '$id, power $power',
    async ({ options, power }) => {
      const run = withPower(options, power);
      const result = await runExactness(run, denseRunOf(run));
    appendFileSync('/tmp/prec.log', [result.weightError, result.gradientError, result.perturbedWeightError, result.movement, result.counters.rebases].join(' ') + '\n');
      expect(result.counters.singularSteps).toBeGreaterThanOrEqual(20);
      expect(judgeExactness(result, options.precision), JSON.stringify(result)).toMatchObject({ pass: true });
    },
  );
});
