import { expect, it } from 'vitest';
import type { CreationRefusal } from '../programs/scenarios/creation.ts';
import { playOnThreads } from '../run-program.ts';

const expected: readonly RegExp[] = [
  /^distributed create: the ranks differ: seed is 1 on ranks 0, 1 and 2 on rank 2; all ranks must be given the same$/,
  /: loss\.options\.a is 0\.1 on ranks 0, 1 and 0\.2 on rank 2;/,
  /: loss\.name is "z-loss" on ranks 0, 1 and "spherical-softmax" on rank 2;/,
  /: weightDecay is 0 on ranks 0, 1 and 0\.1 on rank 2;/,
  /: checkEvery is 100 on ranks 0, 1 and 10 on rank 2;/,
  /: reduction is not given on ranks 0, 1 and "sum" on rank 2;/,
  /: loss\.classConstants is "61 numbers, checksum \d+" on ranks 0, 1 and "61 numbers, checksum \d+" on rank 2;/,
  /: initialBiases is "20 numbers, checksum \d+" on ranks 0, 1 and "20 numbers, checksum \d+" on rank 2;/,
  /: rule\.name is "sgd" on ranks 0, 1 and "adam" on rank 2;/,
  /: rule\.options\.\w+ is 0\.9 on ranks 0, 1 and 0\.8 on rank 2;/,
  /: samples is 5 on ranks 0, 1 and 6 on rank 2;/,
  /: layer is "full-softmax" on ranks 0, 1 and "negative sampling" on rank 2;/,
  /there is no preconditioned step over ranks; leave preconditioner out, or train in one process$/,
];

it('a layer is created by no rank when one was given another option, and all are told which', async () => {
  const byRank = await playOnThreads<readonly CreationRefusal[]>('creation', 3);
  for (const found of byRank) {
    expect(found.map(({ code }) => code)).toEqual(expected.map(() => 'bad-option'));
    for (const [place, words] of expected.entries()) expect(found[place]?.message).toMatch(words);
  }
});
