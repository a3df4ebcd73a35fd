import { relativeError } from '@vastmax/spherical-losses/testing';
import { expect } from 'vitest';
import { features, inUnionOrder, type GlobalAnswer } from '../programs/scenarios/global-training.ts';

/**
 * The ranks' training is that of one process: every loss, every gradient, the evaluation and the weights.
 * @param skip minibatches left out before the first.
 */
export function expectUnion(
  answers: readonly GlobalAnswer[],
  alone: GlobalAnswer,
  steps: number,
  bound: number,
  skip = 0,
): void {
  const what = `${answers.length} ranks`;
  expect(
    relativeError(
      inUnionOrder(answers, ({ losses }) => losses, 1, skip, steps),
      alone.losses,
    ),
    what,
  ).toBeLessThan(bound);
  expect(
    relativeError(
      inUnionOrder(answers, ({ gradients }) => gradients, features, skip, steps),
      alone.gradients,
    ),
    what,
  ).toBeLessThan(bound);
  expect(
    relativeError(
      inUnionOrder(answers, ({ evaluated }) => evaluated, 1, skip + steps, 1),
      alone.evaluated,
    ),
    what,
  ).toBeLessThan(bound);
  for (const { ranks, classVectors } of answers) {
    expect(ranks).toEqual(alone.ranks);
    expect(relativeError(classVectors, alone.classVectors), what).toBeLessThan(bound);
  }
}
