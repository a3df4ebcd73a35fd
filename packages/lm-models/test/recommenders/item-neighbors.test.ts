import { ItemNeighbors } from '@vastmax/lm-models/recommenders';
import { csrFromLists } from '@vastmax/sparse-data';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const items = 7;

/** By the definition: cosines of the columns, the k nearest of each of the user's items, added up. */
function naive(histories: readonly (readonly number[])[], k: number, own: readonly number[]): Map<number, number> {
  const usersOf = (item: number): number[] => [...histories.keys()].filter((user) => histories[user]!.includes(item));
  const scores = new Map<number, number>();
  for (const item of new Set(own)) {
    const near = Array.from({ length: items }, (_, other) => {
      const both = usersOf(item).filter((user) => usersOf(other).includes(user)).length;
      return [other, both / Math.sqrt(usersOf(item).length * usersOf(other).length)] as const;
    })
      .filter(([other, nearness]) => other !== item && nearness > 0)
      .sort(([a, x], [b, y]) => y - x || a - b)
      .slice(0, k);
    for (const [other, nearness] of near)
      if (!own.includes(other)) scores.set(other, (scores.get(other) ?? 0) + nearness);
  }
  return scores;
}

describe('ItemNeighbors', () => {
  it('agrees with the definition', () => {
    const list = fc.array(fc.nat(items - 1), { maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(list, { minLength: 1, maxLength: 8 }),
        list,
        fc.integer({ min: 1, max: 4 }),
        (histories, own, k) => {
          const neighbors = new ItemNeighbors(csrFromLists(histories, items), k);
          const scores = naive(histories, k, own);
          // Twice: nearness is kept between calls.
          for (const depth of [items, 2]) {
            const found = neighbors.recommend(own, depth);
            expect(found).toHaveLength(Math.min(depth, scores.size));
            expect(new Set(found).size).toBe(found.length);
            const best = [...scores.values()].sort((a, b) => b - a);
            for (const [place, item] of found.entries()) expect(scores.get(item)).toBeCloseTo(best[place]!, 12);
          }
        },
      ),
    );
  });
});
