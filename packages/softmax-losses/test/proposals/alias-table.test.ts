import { createUnigramProposal } from '@vastmax/softmax-losses';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAliasTable } from '../../src/proposals/fixed-proposals.ts';
import { sumOf } from './distribution-checks.ts';

/** The probability of each value, from the table alone. */
function impliedBy({ shares, aliases }: ReturnType<typeof createAliasTable>): Float64Array {
  const implied = new Float64Array(shares.length);
  for (let column = 0; column < shares.length; column++) {
    implied[column]! += shares[column]! / shares.length;
    implied[aliases[column]!]! += (1 - shares[column]!) / shares.length;
  }
  return implied;
}

describe('alias table', () => {
  it('is the given distribution to 1e-12', () => {
    const weight = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constant(0),
      fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
    );
    fc.assert(
      fc.property(
        fc.array(weight, { minLength: 1, maxLength: 400 }).filter((weights) => sumOf(weights) > 0),
        (weights) => {
          const table = createAliasTable(Float64Array.from(weights));
          const implied = impliedBy(table);
          const sum = sumOf(weights);
          const isRight = (probability: number, i: number): boolean =>
            Math.abs(probability - weights[i]! / sum) < 1e-12 && (weights[i] !== 0 || probability === 0);
          expect(implied.findIndex((probability, i) => !isRight(probability, i))).toBe(-1);
          expect(table.shares.every((share) => share >= 0 && share <= 1)).toBe(true);
        },
      ),
    );
  });

  it('is the distribution to 1e-12 for a hundred thousand Zipf counts', () => {
    const weights = Float64Array.from({ length: 100_000 }, (_, k) => 1 / (k + 1));
    const implied = impliedBy(createAliasTable(weights));
    const sum = sumOf(weights);
    let worst = 0;
    for (let i = 0; i < weights.length; i++) worst = Math.max(worst, Math.abs(implied[i]! - weights[i]! / sum));
    expect(worst).toBeLessThan(1e-12);
  });
});

describe('unigram', () => {
  it('takes counts to the power', () => {
    const { logProbability } = createUnigramProposal([8, 0, 1, 27], { power: 1 / 3 });
    expect([0, 1, 2, 3].map((k) => Math.exp(logProbability(k)) * 7)).toEqual(
      [2, 1, 1, 3].map((value) => expect.closeTo(value, 12) as number),
    );
  });

  it('gives unseen classes nothing when told so, at any power', () => {
    const { logProbability } = createUnigramProposal([4, 0, 1], { power: 0, unseenCount: 0 });
    expect([0, 1, 2].map((k) => Math.exp(logProbability(k)))).toEqual(
      [0.5, 0, 0.5].map((value) => expect.closeTo(value, 12) as number),
    );
    expect(logProbability(1)).toBe(-Infinity);
  });

  it('takes counts as large as numbers get', () => {
    const { logProbability } = createUnigramProposal([1e308, 1e308, 5e307]);
    expect(Math.exp(logProbability(2))).toBeCloseTo(0.2, 12);
  });
});
