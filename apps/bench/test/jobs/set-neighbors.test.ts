import { csrFromLists } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { SetNeighbors, topOf } from '../../src/jobs/set-neighbors.ts';

describe('SetNeighbors', () => {
  const sets = csrFromLists(
    [
      [0, 1, 2],
      [0, 1, 2, 3],
      [1, 2, 4],
      [5, 6],
      [5, 6, 0, 7],
    ],
    8,
  );

  it('completes a set from the sets most like it, and never with what it has', () => {
    // Of the first set's neighbours the second shares three elements, the third two, the last only 0.
    expect(new SetNeighbors(sets, 4).complete(0, 3)).toEqual([3, 4, 5]);
    expect(new SetNeighbors(sets, 1).complete(0, 3), 'the nearest alone').toEqual([3]);
    expect(new SetNeighbors(sets, 4).complete(3, 8), 'as far as its neighbours have something').toEqual([0, 7]);
  });

  it('weighs a rare element more than a frequent one', () => {
    const others = csrFromLists(
      [
        [0, 1],
        [0, 2],
        [1, 3],
        [0, 4],
        [0, 5],
      ],
      6,
    );
    expect(new SetNeighbors(others, 4).complete(0, 1)).toEqual([3]);
  });
});

describe('topOf', () => {
  it('is a sort with the smaller place first', () => {
    const values = Float64Array.from({ length: 200 }, (_, i) => ((i * 37) % 23) - 3);
    const sorted = [...values.keys()].filter((i) => values[i]! > 0).sort((a, b) => values[b]! - values[a]! || a - b);
    for (const k of [1, 5, 50, 300]) expect(topOf(values, k), `k = ${k}`).toEqual(sorted.slice(0, k));
    expect(topOf(new Float64Array(4), 2)).toEqual([]);
  });
});
