import { describe, expect, it } from 'vitest';
import { createRandom, elementwiseTolerance, sumTolerance } from '../src/index.ts';
import { normalDistribution, unaryDefinitions } from '../src/oracle/functions.ts';
import { naiveInverse, reciprocalConditionOf } from '../src/oracle/inverse.ts';
import { naiveGemm } from '../src/oracle/matrix-product.ts';

describe('the oracle', () => {
  it('multiplies a matrix by hand', () => {
    const shape = { m: 2, n: 1, k: 3, transposeA: false, transposeB: false, alpha: 2, beta: -1 };
    const { values, magnitudes } = naiveGemm([1, 2, 3, 4, 5, 6], [1, -1, 2], [10, 20], shape);
    expect([...values]).toEqual([2 * 5 - 10, 2 * 11 - 20]);
    expect([...magnitudes]).toEqual([2 * 9 + 10, 2 * 21 + 20]);
  });

  it('integrates the normal density: tabulated values of Φ', () => {
    // Abramowitz & Stegun, table 26.1.
    expect(normalDistribution(0)).toBe(0.5);
    expect(normalDistribution(1)).toBeCloseTo(0.841344746068543, 15);
    expect(normalDistribution(2)).toBeCloseTo(0.977249868051821, 15);
    expect(normalDistribution(-3)).toBeCloseTo(0.00134989803163, 14);
  });

  it('has slopes that are the derivatives of its functions', () => {
    for (const [name, { value, slope, domain }] of Object.entries(unaryDefinitions)) {
      const x = domain[0] + 0.61 * (domain[1] - domain[0]);
      const difference = (value(x + 1e-5) - value(x - 1e-5)) / 2e-5;
      expect(Math.abs(difference - slope(x)), name).toBeLessThan(1e-7 * (1 + Math.abs(slope(x))));
    }
  });

  it('inverts, with pivots anywhere', () => {
    expect([...naiveInverse([0, 2, 4, 0], 2)]).toEqual([0, 0.25, 0.5, 0]);
    expect(reciprocalConditionOf([1, 0, 0, 1e-6], 2)).toBeCloseTo(1e-6, 12);
  });

  it('draws the same numbers from the same seed', () => {
    expect([...createRandom('a').values(3, 'f64')]).toEqual([...createRandom('a').values(3, 'f64')]);
    expect(createRandom('a').uniform()).not.toBe(createRandom('b').uniform());
    const values = Array.from(createRandom('spread').values(10_000, 'f64'));
    expect(Math.abs(values.reduce((sum, value) => sum + value, 0) / 10_000)).toBeLessThan(0.03);
    expect(values.every((value) => value >= -1 && value < 1)).toBe(true);
  });

  it('allows what it says: k·ε·Σ|a||b| and four ulps', () => {
    expect(sumTolerance('f32', 97, [1])[0]).toBeCloseTo(100 * 2 ** -23, 12);
    expect(elementwiseTolerance('f64', 1, 0)).toBeCloseTo(4 * 2 ** -52, 20);
  });
});
