import { describe, expect, it } from 'vitest';
import { csrFromLists } from '../../src/csr/csr-rows.ts';
import { splitAtTime, splitLast } from '../../src/interactions/split-sets.ts';
import { listsOf, rowsOf } from '../rows-of.ts';
import { thrownBy } from '../thrown-by.ts';

const sessions = csrFromLists([[3, 1, 3], [], [2], [0, 2]], 4);

describe('splitLast', () => {
  it('hides the last of two or more', () => {
    const { shown, hidden } = splitLast(sessions);
    expect(listsOf(shown)).toEqual([[3, 1], [], [2], [0]]);
    expect(listsOf(hidden)).toEqual([[3], [], [], [2]]);
  });

  it('keeps values', () => {
    const { shown, hidden } = splitLast(csrFromLists([[3, 1]], 4, [[0.5, 2]]));
    expect([rowsOf(shown), rowsOf(hidden)]).toEqual([[[[3, 0.5]]], [[[1, 2]]]]);
  });
});

describe('splitAtTime', () => {
  it('hides what comes from then on', async () => {
    const times = Float64Array.of(1, 5, 9, 5, 0, 4);
    const { shown, hidden } = splitAtTime(sessions, times, 5);
    expect(listsOf(shown)).toEqual([[3], [], [], [0, 2]]);
    expect(listsOf(hidden)).toEqual([[1, 3], [], [2], []]);
    expect(await thrownBy(() => splitAtTime(sessions, times.subarray(1), 5))).toBe(
      'shape: splitAtTime: there are 5 times for 6 entries; one each is needed',
    );
  });
});
