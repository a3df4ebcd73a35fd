/**
 * Item-kNN, the memory-based rival of recommenders: an item's score for a user is the sum of its cosines with the
 * user's items, of which each one's nearest count only. The cosine of two items is that of the sets of their users.
 */
import { columnsByFrequency, columnCounts, type CsrRows } from '@vastmax/sparse-data';
import { topOf } from '../set-neighbors.ts';
import { itemsOf, type BestItems } from './rank-items.ts';

/** O(Σ n²) for users of n items, and O(items·nearest) memory. */
export function itemNeighbors(sets: CsrRows, nearest: number): BestItems {
  const { columns } = sets;
  const counts = columnCounts(sets);
  const { starts, owners } = ownersOf(sets);
  const neighbors = new Int32Array(columns * nearest).fill(-1);
  const cosines = new Float64Array(columns * nearest);
  const together = new Float64Array(columns);
  const met = new Int32Array(columns);
  for (let item = 0; item < columns; item++) {
    let count = 0;
    for (let at = starts[item]!; at < starts[item + 1]!; at++) {
      for (const other of itemsOf(sets, owners[at]!)) {
        if (together[other] === 0) met[count++] = other;
        together[other]!++;
      }
    }
    together[item] = 0;
    const values = Float64Array.from(met.subarray(0, count), (other) =>
      other === item ? 0 : together[other]! / Math.sqrt(counts[item]! * counts[other]!),
    );
    topOf(values, nearest).forEach((place, k) => {
      neighbors[item * nearest + k] = met[place]!;
      cosines[item * nearest + k] = values[place]!;
    });
    for (let i = 0; i < count; i++) together[met[i]!] = 0;
  }
  const scores = new Float64Array(columns);
  return bestOfEach((own, k) => {
    scores.fill(0);
    for (const item of own) {
      for (let at = item * nearest; at < (item + 1) * nearest; at++)
        if (neighbors[at]! >= 0) scores[neighbors[at]!]! += cosines[at]!;
    }
    for (const item of own) scores[item] = 0;
    return topOf(scores, k);
  });
}

/** The most frequent items that a user has not had. */
export function mostPopular(sets: CsrRows): BestItems {
  const order = columnsByFrequency(columnCounts(sets));
  return bestOfEach((own, k) => {
    const left = new Set(own);
    const best: number[] = [];
    for (let place = 0; place < order.length && best.length < k; place++)
      if (!left.has(order[place]!)) best.push(order[place]!);
    return best;
  });
}

function bestOfEach(best: (own: Int32Array, k: number) => readonly number[]): BestItems {
  return (users, seen, k) => {
    const items = new Int32Array(users.length * k).fill(-1);
    users.forEach((_, place) => {
      items.set(best(itemsOf(seen, place), k), place * k);
    });
    return Promise.resolve(items);
  };
}

/** The users of each item. */
function ownersOf(sets: CsrRows): { readonly starts: Int32Array; readonly owners: Int32Array } {
  const starts = new Int32Array(sets.columns + 1);
  for (let user = 0; user < sets.rows; user++) for (const item of itemsOf(sets, user)) starts[item + 1]!++;
  for (let item = 0; item < sets.columns; item++) starts[item + 1]! += starts[item]!;
  const next = starts.slice();
  const owners = new Int32Array(starts[sets.columns]!);
  for (let user = 0; user < sets.rows; user++) for (const item of itemsOf(sets, user)) owners[next[item]!++] = user;
  return { starts, owners };
}
