import { expect, it } from 'vitest';
import type { Refusal } from '../programs/scenarios/attempts.ts';
import { playOnThreads } from '../run-program.ts';

type Expected = readonly [what: string, code: string, words: RegExp];

function expectRefused(byRank: readonly (readonly Refusal[])[], expected: readonly Expected[]): void {
  for (const found of byRank) {
    expect(found.map(({ what }) => what)).toEqual(expected.map(([what]) => what));
    for (const [place, [what, code, words]] of expected.entries()) {
      expect(found[place], what).toMatchObject({ code, unchanged: true });
      expect(found[place]?.message, what).toMatch(words);
    }
  }
}

it('when one rank must refuse, all do, with its reason, unchanged, and go on', async () => {
  expectRefused(await playOnThreads<Refusal[]>('refusals', 3), [
    ['nan', 'non-finite', /^rank 1 of 3 refused the step: factored step 5: hidden is NaN at example 0, feature 0/],
    ['overflow', 'diverged', /^rank 2 of 3 refused the step: factored step 6: .* at learning rate 0\.01/],
    [
      'class',
      'class-out-of-range',
      /^rank 2 of 3 refused the step: .*target 61 of example 1 is not a class \(0 to 60\)/,
    ],
    ['rate', 'bad-option', /^rank 0 of 3 refused the step: .*learningRate must be .*got -1/],
    [
      'rates differ',
      'bad-option',
      /^distributed step: learningRate is 0\.01 on rank 0 and 0\.02 on rank 1; it must be the same/,
    ],
    ['bug', 'diverged', /^rank 1 of 3 refused the step: RangeError: the loss ran into a bug/],
    ['evaluate', 'class-out-of-range', /^rank 1 of 3 refused the evaluate: /],
    [
      'other call',
      'bad-option',
      /^distributed layer: rank 0 called step, rank 2 evaluate; all ranks must make the same calls/,
    ],
    ['topK', 'bad-option', /^rank 0 of 3 refused the topK: topK: k must be a whole number from 1 to 61/],
  ]);
});

it('so with classes to be added and log-probabilities', async () => {
  expectRefused(await playOnThreads<Refusal[]>('growthRefusals', 3), [
    [
      'nan',
      'non-finite',
      /^rank 1 of 3 refused the addClasses: factored layer: the initial weight of class 62, feature 1 is NaN/,
    ],
    ['no rows', 'shape', /^rank 2 of 3 refused the addClasses: addClasses: 11 values are not whole rows of 6/],
    [
      'no constants',
      'shape',
      /^rank 0 of 3 refused the addClasses: addClasses: 0 class constants for 2 classes of a loss with constants/,
    ],
    [
      'fewer',
      'bad-option',
      /^distributed addClasses: the number of new classes is 2 on rank 0 and 1 on rank 1; it must be the same/,
    ],
    [
      'other rows',
      'bad-option',
      /^distributed addClasses: the checksum of their rows and constants is \d+ on rank 0 and \d+ on rank 2/,
    ],
    [
      'other constants',
      'bad-option',
      /^distributed addClasses: the checksum of their rows and constants is \d+ on rank 0 and \d+ on rank 1/,
    ],
    [
      'step',
      'bad-option',
      /^distributed layer: rank 0 called addClasses, rank 1 step; all ranks must make the same calls/,
    ],
    [
      'class',
      'class-out-of-range',
      /^rank 2 of 3 refused the classLogProbabilities: factored classLogProbabilities: classes 61 to 61 were asked for/,
    ],
    [
      'classes',
      'shape',
      /^rank 1 of 3 refused the classLogProbabilities: factored classLogProbabilities: 1 classes for 2 examples/,
    ],
    [
      'column',
      'shape',
      /^rank 1 of 3 refused the classLogProbabilities: factored classLogProbabilities: out is 2×4, it must be 2×1/,
    ],
    [
      'range',
      'class-out-of-range',
      /^rank 0 of 3 refused the logProbabilities: factored logProbabilities: classes 58 to 61 were asked for/,
    ],
    ['other range', 'bad-option', /^distributed logProbabilities: firstClass is 0 on rank 0 and 1 on rank 1/],
    [
      'no probabilities',
      'bad-option',
      /^rank 0 of 3 refused the logProbabilities: factored logProbabilities: the loss squared-error gives no probabilities/,
    ],
  ]);
});
