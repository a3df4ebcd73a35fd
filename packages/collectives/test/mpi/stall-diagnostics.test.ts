import { expect, it } from 'vitest';
import { describeStall } from '../../src/mpi/stall-diagnostics.ts';

it.each([
  ['nobody answers', new Map<number, number>(), /^rank 0, 2, 3 did not reach allToAll \(call 7\) within 60 s/],
  [
    'one is missing',
    new Map([
      [0, 7],
      [3, 7],
    ]),
    /^rank 2 did not reach allToAll \(call 7\) within 60 s: it hangs, or computes for longer than timeoutMs$/,
  ],
  [
    'one is elsewhere',
    new Map([
      [0, 7],
      [2, 6],
      [3, 7],
    ]),
    /^allToAll \(call 7\) does not end after 60 s: rank 2 is in call 6; all ranks must make the same calls$/,
  ],
  [
    'all are there',
    new Map([
      [0, 7],
      [2, 7],
      [3, 7],
    ]),
    /^allToAll \(call 7\) does not end after 60 s though all ranks are in it/,
  ],
])('%s', (_name, answers, words) => {
  expect(describeStall(1, 4, 7, 'allToAll', answers, 60)).toMatch(words);
});
