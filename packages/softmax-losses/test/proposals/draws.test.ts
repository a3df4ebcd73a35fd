import {
  createLearnedUnigramProposal,
  createLogUniformProposal,
  createUniformProposal,
  createUnigramProposal,
  type FixedProposal,
} from '@vastmax/softmax-losses';
import { RandomGenerator } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { chiSquareDeviate, drawnCounts, probabilitiesOf, sumOf } from './distribution-checks.ts';

const zipfCounts = Float64Array.from({ length: 300 }, (_, k) => Math.floor(5000 / (k + 1) ** 1.1));

function learned(classes: number, seed: number): FixedProposal {
  const proposal = createLearnedUnigramProposal(classes, { smoothing: 0.5 });
  const random = new RandomGenerator(seed);
  const targets = Int32Array.from({ length: 2000 }, () => Math.floor(classes * random.uniform() ** 3));
  proposal.observe?.(targets, 1500);
  return proposal;
}

const proposals: readonly (readonly [name: string, proposal: FixedProposal])[] = [
  ['uniform', createUniformProposal(100)],
  ['uniform over one class', createUniformProposal(1)],
  ['log-uniform', createLogUniformProposal(200)],
  ['log-uniform over one class', createLogUniformProposal(1)],
  ['unigram', createUnigramProposal(zipfCounts)],
  ['unigram^0.75', createUnigramProposal(zipfCounts, { power: 0.75 })],
  ['unigram with classes never drawn', createUnigramProposal([0, 3, 0, 0, 9, 1, 0], { unseenCount: 0 })],
  ['learned, at its start', createLearnedUnigramProposal(60)],
  ['learned, after 1,500 targets', learned(100, 3)],
  ['learned, not a power of two', learned(77, 4)],
];

describe.each(proposals)('%s', (_, proposal) => {
  it('has probabilities that sum to one', () => {
    expect(sumOf(probabilitiesOf(proposal))).toBeCloseTo(1, 12);
  });

  it('draws with these probabilities', () => {
    expect(chiSquareDeviate(drawnCounts(proposal, 200_000, 11), probabilitiesOf(proposal))).toBeLessThan(4);
  });

  it('draws the same from the same random state', () => {
    const [random, again] = [new RandomGenerator(5), new RandomGenerator(99)];
    const [one, other] = [new Int32Array(50), new Int32Array(50)];
    proposal.draw(20, random, one, 0);
    again.restore(random.state());
    proposal.draw(50, random, one, 0);
    proposal.draw(20, again, other, 0);
    proposal.draw(30, again, other, 20);
    expect(other).toEqual(one);
  });
});

describe('the chi-square test', () => {
  it('sees a proposal that draws one class a fifth too often', () => {
    const proposal = createUnigramProposal(zipfCounts);
    const wrong = createUnigramProposal(zipfCounts.map((count, k) => (k === 4 ? 1.2 * count : count)));
    expect(chiSquareDeviate(drawnCounts(proposal, 200_000, 11), probabilitiesOf(wrong))).toBeGreaterThan(4);
  });

  it('sees a class that must not be drawn', () => {
    expect(chiSquareDeviate([10, 1, 10], [0.5, 0, 0.5])).toBe(Infinity);
  });
});

describe('log-uniform', () => {
  it('has the probabilities of its definition, also at the far end of ten million classes', () => {
    const classes = 10_000_000;
    const { logProbability } = createLogUniformProposal(classes);
    expect(Math.exp(logProbability(0))).toBeCloseTo(Math.log(2) / Math.log(classes + 1), 14);
    expect(Math.exp(logProbability(5))).toBeCloseTo((Math.log(7) - Math.log(6)) / Math.log(classes + 1), 14);
    // 1/(k+1) − 1/(2(k+1)²) to the sixteenth digit, which the difference of two logarithms does not give.
    const last = 1 / classes - 1 / (2 * classes ** 2);
    expect(Math.abs((Math.exp(logProbability(classes - 1)) * Math.log(classes + 1)) / last - 1)).toBeLessThan(1e-13);
  });
});

describe('bad input', () => {
  it.each([0, -3, 1.5, Number.NaN, 2 ** 31])('%s classes are refused', (classes) => {
    for (const create of [createUniformProposal, createLogUniformProposal, createLearnedUnigramProposal]) {
      expect(() => create(classes)).toThrow(
        expect.objectContaining({ code: 'bad-option', message: expect.stringContaining(String(classes)) as string }),
      );
    }
  });

  it.each([
    ['no counts', [], {}],
    ['a negative count', [1, -2, 3], {}],
    ['a count that is NaN', [1, Number.NaN], {}],
    ['an infinite count', [1, Infinity], {}],
    ['nothing but zeros', [0, 0, 0], { unseenCount: 0 }],
    ['a power that is NaN', [1, 2], { power: Number.NaN }],
    ['a negative power', [1, 2], { power: -1 }],
    ['a negative count for unseen classes', [1, 2], { unseenCount: -1 }],
  ])('unigram: %s', (_, counts, options) => {
    expect(() => createUnigramProposal(counts, options)).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });

  it.each([0, -1, Number.NaN, Infinity])('learned: a smoothing of %s', (smoothing) => {
    expect(() => createLearnedUnigramProposal(5, { smoothing })).toThrow(
      expect.objectContaining({ code: 'bad-option', message: expect.stringContaining(String(smoothing)) as string }),
    );
  });
});
