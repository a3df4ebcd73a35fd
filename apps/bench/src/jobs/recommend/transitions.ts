/**
 * Transitions from the last item, a Markov chain: what followed the user's last item most often in other sequences, and
 * where that is not enough, what is most frequent.
 */
import { columnCounts, columnsByFrequency, type CsrRows } from '@vastmax/sparse-data';
import { itemsOf, type BestItems } from './rank-items.ts';

export function lastItemTransitions(sequences: CsrRows): BestItems {
  const followers = Array.from({ length: sequences.columns }, () => new Map<number, number>());
  for (let row = 0; row < sequences.rows; row++) {
    const items = itemsOf(sequences, row);
    for (let place = 1; place < items.length; place++) {
      const counts = followers[items[place - 1]!]!;
      counts.set(items[place]!, (counts.get(items[place]!) ?? 0) + 1);
    }
  }
  const frequencies = columnCounts(sequences);
  const popular = columnsByFrequency(frequencies);
  return (users, seen, k) => {
    const best = new Int32Array(users.length * k).fill(-1);
    users.forEach((_, place) => {
      const own = itemsOf(seen, place);
      const left = new Set(own);
      const last = own.at(-1);
      const ranked = [...(last === undefined ? [] : followers[last]!)]
        .sort((a, b) => b[1] - a[1] || frequencies[b[0]]! - frequencies[a[0]]!)
        .map(([item]) => item)
        .filter((item) => !left.has(item))
        .slice(0, k);
      for (const item of ranked) left.add(item);
      for (let next = 0; ranked.length < k && next < popular.length; next++)
        if (!left.has(popular[next]!)) ranked.push(popular[next]!);
      best.set(ranked, place * k);
    });
    return Promise.resolve(best);
  };
}
