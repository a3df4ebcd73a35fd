import { expect, it } from 'vitest';
import type { Refusal } from '../programs/scenarios/refusals.ts';
import { playOnThreads } from '../test-programs.ts';

it('when one rank must refuse, all do, with its reason, unchanged, and go on', async () => {
  const byRank = await playOnThreads<Refusal[]>('refusals', 3);
  const expected = [
    ['nan', 'non-finite', /^rank 1 of 3 refused the step: factored step 5: hidden is NaN at example 0, feature 0/],
    ['overflow', 'diverged', /^rank 2 of 3 refused the step: factored step 6: .* at learning rate 0\.01/],
    ['class', 'class-out-of-range', /^rank 2 of 3 refused the step: .*target 61 of example 1 is not a class \(0 to 60\)/],
    ['rate', 'bad-option', /^rank 0 of 3 refused the step: .*learningRate must be .*got -1/],
    ['rates differ', 'bad-option', /^distributed step: learningRate is 0\.01 on rank 0 and 0\.02 on rank 1; it must be the same/],
    ['bug', 'diverged', /^rank 1 of 3 refused the step: RangeError: the loss ran into a bug/],
    ['evaluate', 'class-out-of-range', /^rank 1 of 3 refused the evaluate: /],
    ['other call', 'bad-option', /^distributed layer: rank 0 called step, rank 2 evaluate; all ranks must make the same calls/],
    ['topK', 'bad-option', /^rank 0 of 3 refused the topK: topK: k must be a whole number from 1 to 61/],
  ] as const;
  for (const found of byRank) {
    expect(found.map(({ what }) => what)).toEqual(expected.map(([what]) => what));
    for (const [place, [what, code, words]] of expected.entries()) {
      expect(found[place], what).toMatchObject({ code, unchanged: true });
      expect(found[place]?.message, what).toMatch(words);
    }
  }
});
