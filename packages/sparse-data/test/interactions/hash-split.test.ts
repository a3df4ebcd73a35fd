import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHashSplit } from '../../src/interactions/split-interactions.ts';
import { thrownBy } from '../thrown-by.ts';

/** Any code unit, half of a surrogate pair included. */
const codeUnit = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));
const shares = { train: 0.8, valid: 0.05, test: 0.15 };
const keys = Array.from({ length: 20_000 }, (_, at) => `user ${at}`);

function countsOf(parts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const part of parts) counts[part] = (counts[part] ?? 0) + 1;
  return counts;
}

describe('createHashSplit', () => {
  it('gives each part its share', () => {
    for (const seed of [0, 1, 2 ** 53 - 1]) {
      const counts = countsOf(keys.map(createHashSplit(shares, { seed })));
      for (const [part, share] of Object.entries(shares)) {
        // Five standard deviations of a binomial count.
        expect(Math.abs((counts[part] ?? 0) - share * keys.length)).toBeLessThan(
          5 * Math.sqrt(keys.length * share * (1 - share)),
        );
      }
    }
  });

  it('is a function of key and seed, the same on every machine', () => {
    const partOf = createHashSplit({ a: 0.25, b: 0.25, c: 0.5 }, { seed: 7 });
    expect(keys.slice(0, 24).map(partOf).join('')).toBe('cbbaaababaacccccbcbacacc');
    expect(partOf('')).toBe(createHashSplit({ a: 0.25, b: 0.25, c: 0.5 }, { seed: 7 })(''));
  });

  it('splits independently under another seed', () => {
    const [first, second] = [1, 2].map((seed) => createHashSplit({ a: 0.5, b: 0.5 }, { seed }));
    if (first === undefined || second === undefined) throw new Error('two splits are needed');
    const same = keys.filter((key) => first(key) === second(key)).length;
    expect(Math.abs(same - keys.length / 2)).toBeLessThan(5 * Math.sqrt(keys.length / 4));
  });

  it('moves no key between the parts before a bound that stays', () => {
    const [finer, coarser] = [createHashSplit(shares), createHashSplit({ train: 0.8, rest: 0.2 })];
    expect(keys.filter((key) => coarser(key) === 'train')).toEqual(keys.filter((key) => finer(key) === 'train'));
  });

  it('names a part of the split for any key and any shares, never one without a share', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: codeUnit }),
        fc.array(fc.nat(5), { minLength: 1, maxLength: 5 }),
        fc.nat(),
        (key, weights, seed) => {
          const sum = weights.reduce((total, weight) => total + weight, 0);
          fc.pre(sum > 0);
          const part = createHashSplit(Object.fromEntries(weights.map((weight, at) => [`p${at}`, weight / sum])), {
            seed,
          })(key);
          expect(weights[Number(part.slice(1))]).toBeGreaterThan(0);
        },
      ),
    );
  });

  it('refuses shares that are none', async () => {
    expect(await thrownBy(() => createHashSplit({}))).toBe(
      'bad-split: createHashSplit: there are no parts; at least 1 is needed',
    );
    expect(await thrownBy(() => createHashSplit({ a: 0.5, b: 0.25 }))).toBe(
      'bad-split: createHashSplit: the shares add up to 0.75; they must add up to 1',
    );
    expect(await thrownBy(() => createHashSplit({ a: 1.5, b: -0.5 }))).toBe(
      'bad-split: createHashSplit: the share of "b" is -0.5; a number in 0..1 is needed',
    );
    expect(await thrownBy(() => createHashSplit({ a: Number.NaN }))).toContain(
      'bad-split: createHashSplit: the share of "a" is NaN',
    );
    expect(await thrownBy(() => createHashSplit({ a: 1 }, { seed: -1 }))).toContain(
      'bad-option: createHashSplit: seed is -1',
    );
  });
});
