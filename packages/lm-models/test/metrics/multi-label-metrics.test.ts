import { computePropensities, MultiLabelCollector } from '@vastmax/lm-models/metrics';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

interface Case {
  readonly ranked: readonly number[];
  readonly right: readonly number[];
}

/** The definitions, example by example. */
function naive(cases: readonly Case[], k: number, propensities: readonly number[]): readonly number[] {
  const counted = cases.filter(({ right }) => right.length > 0);
  const mean = (of: (each: Case) => number): number =>
    counted.reduce((sum, each) => sum + of(each), 0) / counted.length;
  const hitsOf = ({ ranked, right }: Case): number[] =>
    ranked.slice(0, k).map((label) => (right.includes(label) ? 1 : 0));
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  const dcg = (hits: readonly number[]): number => total(hits.map((hit, i) => hit / Math.log2(i + 2)));
  const gain = (labels: readonly number[]): number => total(labels.map((label) => 1 / propensities[label]!)) / k;
  const best = ({ right }: Case): number[] =>
    [...right].sort((a, b) => propensities[a]! - propensities[b]!).slice(0, k);
  return [
    mean((each) => total(hitsOf(each)) / k),
    mean((each) => total(hitsOf(each)) / each.right.length),
    mean((each) => dcg(hitsOf(each)) / dcg(each.right.slice(0, k).map(() => 1))),
    mean((each) => (total(hitsOf(each)) > 0 ? 1 : 0)),
    mean((each) => (hitsOf(each).includes(1) ? 1 / (hitsOf(each).indexOf(1) + 1) : 0)),
    mean((each) => {
      const hits = hitsOf(each);
      const precisions = hits.map((hit, i) => (hit * total(hits.slice(0, i + 1))) / (i + 1));
      return total(precisions) / Math.min(k, each.right.length);
    }),
    mean((each) => gain(each.ranked.slice(0, k).filter((label) => each.right.includes(label)))) /
      mean((each) => gain(best(each))),
  ];
}

const labels = 12;
const cases = fc.array(
  fc.record({
    ranked: fc.shuffledSubarray(
      Array.from({ length: labels }, (_, i) => i),
      { minLength: 5 },
    ),
    right: fc.uniqueArray(fc.nat(labels - 1)),
  }),
  { maxLength: 8 },
);

describe('MultiLabelCollector', () => {
  it('agrees with the definitions for any rankings', () => {
    fc.assert(
      fc.property(
        cases,
        fc.array(
          fc.integer({ min: 1, max: 9 }).map((tenth) => tenth / 10),
          { minLength: labels, maxLength: labels },
        ),
        (list, propensities) => {
          const collector = new MultiLabelCollector({ ks: [1, 3, 5], propensities });
          expect(collector.depth).toBe(5);
          for (const { ranked, right } of list) collector.add(ranked, right);
          const { examples, atK } = collector.metrics();
          expect(examples).toBe(list.filter(({ right }) => right.length > 0).length);
          for (const { k, ...metrics } of atK) {
            const expected = naive(list, k, propensities);
            for (const [i, value = Number.NaN] of Object.values(metrics).entries())
              if (examples === 0) expect(value).toBeNaN();
              else expect(value).toBeCloseTo(expected[i]!, 10);
          }
        },
      ),
    );
  });

  it('shows an example worked out by hand', () => {
    const collector = new MultiLabelCollector({ ks: [2, 4] });
    collector.add([7, 1, 2, 9], [1, 9, 5]);
    collector.add([1], []);
    const { examples, unlabelled, atK } = collector.metrics();
    expect([examples, unlabelled]).toEqual([1, 1]);
    const ideal2 = 1 + 1 / Math.log2(3);
    expect(atK[0]).toEqual({
      k: 2,
      precision: 0.5,
      recall: 1 / 3,
      ndcg: 1 / Math.log2(3) / ideal2,
      hitRate: 1,
      reciprocalRank: 1 / 2,
      averagePrecision: 1 / 2 / 2,
      propensityScoredPrecision: undefined,
    });
    expect(atK[1]).toMatchObject({ k: 4, precision: 0.5, recall: 2 / 3 });
  });

  it('takes rankings shorter than k, as where few classes are left', () => {
    const collector = new MultiLabelCollector({ ks: [5] });
    collector.add([3], [3, 4]);
    expect(collector.metrics().atK[0]).toMatchObject({ precision: 0.2, recall: 0.5 });
  });

  it.each([[[]], [[0]], [[3, 3]], [[5, 1]], [[1.5]]])('refuses the ks %j', (ks) => {
    expect(() => new MultiLabelCollector({ ks })).toThrow(
      `ks must be whole numbers that ascend from 1 on, got [${ks.join(', ')}]`,
    );
  });
});

describe('computePropensities', () => {
  it('follows the formula of Jain et al., rising with the count', () => {
    const [rare = 0, common = 0] = computePropensities([1, 5000], 10_000);
    const c = (Math.log(10_000) - 1) * 2.5 ** 0.55;
    expect(rare).toBeCloseTo(1 / (1 + c * 2.5 ** -0.55), 12);
    expect(common).toBeCloseTo(1 / (1 + c * 5001.5 ** -0.55), 12);
    expect(rare).toBeLessThan(common);
    const [amazon = 0] = computePropensities([3], 1000, { a: 0.6, b: 2.6 });
    expect(amazon).toBeCloseTo(1 / (1 + (Math.log(1000) - 1) * 3.6 ** 0.6 * Math.exp(-0.6 * Math.log(5.6))), 12);
  });

  it('refuses too few examples and options out of range', () => {
    expect(() => computePropensities([1], 2)).toThrow('propensities: 2 examples; at least 3 are needed');
    expect(() => computePropensities([1], 9, { a: 0 })).toThrow('a must be above 0 and b at least 0, got 0 and 1.5');
  });
});
