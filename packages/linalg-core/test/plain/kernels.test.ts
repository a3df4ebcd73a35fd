import { describe, expect, it } from 'vitest';
import { errorFunction } from '../../src/plain/kernels.ts';

const digits = 60n;
const one = 10n ** digits;
// π to 60 places.
const pi = 3141592653589793238462643383279502884197169399375105820974944n;

function squareRoot(value: bigint): bigint {
  let root = value;
  for (let next = (root + 1n) / 2n; next < root; next = (root + value / root) / 2n) root = next;
  return root;
}

/**
 * erf by its alternating Maclaurin series in 60-digit fixed point; exact for x = numerator/256, whose double is exact
 * too.
 */
function preciseErrorFunction(numerator: number): number {
  const x = (BigInt(numerator) * one) / 256n;
  let power = x;
  let sum = 0n;
  for (let n = 0n; power !== 0n; n++) {
    sum += (n % 2n === 0n ? power : -power) / (2n * n + 1n);
    power = (((power * x) / one) * x) / one / (n + 1n);
  }
  return Number((2n * sum * one) / squareRoot(pi * one)) / Number(one);
}

describe('errorFunction', () => {
  it('agrees with a 60-digit reference to a few ulps, at both sides of every switch', () => {
    let worst = 0;
    for (let numerator = 1; numerator <= 1600; numerator += 3) {
      const exact = preciseErrorFunction(numerator);
      worst = Math.max(worst, Math.abs(errorFunction(numerator / 256) - exact) / exact);
    }
    for (const numerator of [639, 640, 641, 1535, 1536, 1537]) {
      const exact = preciseErrorFunction(numerator);
      worst = Math.max(worst, Math.abs(errorFunction(numerator / 256) - exact) / exact);
    }
    expect(worst).toBeLessThan(8 * 2 ** -52);
  });

  it('is odd, and keeps its limits and NaN', () => {
    for (const x of [0.1, 1, 2.5, 3, 7]) expect(errorFunction(-x)).toBe(-errorFunction(x));
    expect(errorFunction(0)).toBe(0);
    expect(errorFunction(Infinity)).toBe(1);
    expect(errorFunction(-Infinity)).toBe(-1);
    expect(errorFunction(Number.NaN)).toBeNaN();
    // For small x, erf x is 2x/√π to full relative precision.
    expect(errorFunction(1e-200) / 1e-200).toBeCloseTo(2 / Math.sqrt(Math.PI), 14);
  });
});
