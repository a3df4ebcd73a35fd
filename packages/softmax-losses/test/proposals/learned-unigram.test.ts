import { createLearnedUnigramProposal } from '@vastmax/softmax-losses';
import { RandomGenerator } from '@vastmax/sparse-data';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FenwickTree } from '../../src/proposals/learned-unigram.ts';
import { probabilitiesOf } from './distribution-checks.ts';

describe('counted sums', () => {
  it('find the value at every place, as a walk along the counts does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(fc.nat(), { maxLength: 60 }), (size, raised) => {
        const sums = new FenwickTree(size);
        for (const value of raised) sums.increment(value % size);
        const walk = Array.from(sums.counts).flatMap((count, value) => Array.from({ length: count }, () => value));
        expect(sums.total).toBe(walk.length);
        expect(walk.map((_, place) => sums.find(place))).toEqual(walk);
        const copy = new FenwickTree(size);
        copy.increment(0);
        copy.assign(sums.counts);
        expect(walk.map((_, place) => copy.find(place))).toEqual(walk);
      }),
    );
  });
});

describe('learned unigram', () => {
  it('starts uniform and counts what it is shown, no further than it is told', () => {
    const proposal = createLearnedUnigramProposal(4, { smoothing: 2 });
    expect(Array.from(probabilitiesOf(proposal))).toEqual(
      [0.25, 0.25, 0.25, 0.25].map((value) => expect.closeTo(value, 14) as number),
    );
    proposal.observe?.(Int32Array.of(1, 3, 1, 0), 3);
    expect(Array.from(probabilitiesOf(proposal), (p) => 11 * p)).toEqual(
      [2, 4, 2, 3].map((value) => expect.closeTo(value, 12) as number),
    );
  });

  it('goes on the same from its state', async () => {
    const proposal = createLearnedUnigramProposal(9);
    proposal.observe?.(Int32Array.of(8, 8, 3, 3, 3, 0), 6);
    const copy = createLearnedUnigramProposal(9);
    copy.observe?.(Int32Array.of(5), 1);
    const state = proposal.state?.();
    if (state === undefined || copy.prepareRestore === undefined) throw new Error('a proposal that learns has a state');
    const take = await copy.prepareRestore(state);
    expect(Math.exp(copy.logProbability(5)), 'nothing is taken over yet').toBeCloseTo(0.2, 14);
    take();
    for (const each of [proposal, copy]) each.observe?.(Int32Array.of(2, 8), 2);
    expect(probabilitiesOf(copy)).toEqual(probabilitiesOf(proposal));
    const [one, other] = [new Int32Array(100), new Int32Array(100)];
    proposal.draw(100, new RandomGenerator(4), one, 0);
    copy.draw(100, new RandomGenerator(4), other, 0);
    expect(other).toEqual(one);
  });

  it.each([-1, 0.5, Number.NaN])('refuses a state with a count of %s', async (count) => {
    const proposal = createLearnedUnigramProposal(3);
    const tensors = [
      {
        name: 'counts',
        precision: 'f64' as const,
        rows: 3,
        columns: 1,
        read: () => Promise.resolve(Float64Array.of(1, count, 2)),
      },
    ];
    await expect(proposal.prepareRestore?.({ configuration: {}, tensors })).rejects.toMatchObject({
      code: 'state-mismatch',
      message: expect.stringContaining(String(count)) as string,
    });
    expect(Math.exp(proposal.logProbability(0))).toBeCloseTo(1 / 3, 14);
  });
});
