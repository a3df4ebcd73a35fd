/**
 * Item-kNN, the recommender that learns nothing: an item is as near to another as the cosine of the sets of users that
 * have them (Sarwar et al., WWW 2001), and a user's score of an item is the sum of its nearness to the user's items, of
 * which each counts for its k nearest. Nearness of an item is computed when it is first needed.
 */
import { addDuplicates, transposeCsr, type CsrRows } from '@vastmax/sparse-data';

interface NearItems {
  readonly items: Int32Array;
  readonly nearness: Float64Array;
}

/** Recommends the items that users with the same items have: the simple rival of a recommender. */
export class ItemNeighbors {
  readonly #sets: CsrRows;
  readonly #k: number;
  /** The users of each item: the transpose of the sets. */
  readonly #starts: Int32Array;
  readonly #users: Int32Array;
  readonly #near = new Map<number, NearItems>();
  readonly #counts: Float64Array;
  readonly #scores: Float64Array;

  /**
   * @param histories one row a user; values and repetitions do not count.
   * @param k how many neighbours of an item count; 100 unless given. O(entries).
   */
  constructor(histories: CsrRows, k = 100) {
    const sets = addDuplicates(histories);
    const { columns } = sets;
    this.#sets = sets;
    this.#k = k;
    const { offsets, indices } = transposeCsr(sets);
    this.#starts = offsets;
    this.#users = indices;
    this.#counts = new Float64Array(columns);
    this.#scores = new Float64Array(columns);
  }

  /**
   * The best items for a user who has `items`, which are left out; fewer than `depth` where no others are near. O(near
   * items), and for an item that is asked for the first time the entries of its users.
   */
  recommend(items: Iterable<number>, depth: number): number[] {
    const own = new Set(items);
    const found: number[] = [];
    for (const item of own) {
      const near = this.#nearTo(item);
      for (let place = 0; place < near.items.length; place++) {
        const other = near.items[place]!;
        if (own.has(other)) continue;
        if (this.#scores[other] === 0) found.push(other);
        this.#scores[other]! += near.nearness[place]!;
      }
    }
    const best = bestOf(found, this.#scores, depth);
    for (const item of found) this.#scores[item] = 0;
    return best;
  }

  #nearTo(item: number): NearItems {
    const known = this.#near.get(item);
    if (known !== undefined) return known;
    const { offsets, indices } = this.#sets;
    const counts = this.#counts;
    const found: number[] = [];
    for (let at = this.#starts[item]!; at < this.#starts[item + 1]!; at++) {
      const user = this.#users[at]!;
      for (let entry = offsets[user]!; entry < offsets[user + 1]!; entry++) {
        const other = indices[entry]!;
        if (other === item) continue;
        if (counts[other] === 0) found.push(other);
        counts[other]!++;
      }
    }
    for (const other of found) counts[other]! /= Math.sqrt(this.#usersOf(item) * this.#usersOf(other));
    const best = bestOf(found, counts, this.#k);
    const near = { items: Int32Array.from(best), nearness: Float64Array.from(best, (other) => counts[other]!) };
    for (const other of found) counts[other] = 0;
    this.#near.set(item, near);
    return near;
  }

  #usersOf(item: number): number {
    return this.#starts[item + 1]! - this.#starts[item]!;
  }
}

/** The k of the items with the largest values, largest first; of equal ones the smaller item. */
function bestOf(items: readonly number[], values: Float64Array, k: number): number[] {
  // Sorting numbers without a function is many times as fast, so only those that count are sorted with one.
  const bound = k < items.length ? Float64Array.from(items, (item) => values[item]!).sort()[items.length - k]! : 0;
  return items
    .filter((item) => values[item]! >= bound)
    .sort((a, b) => values[b]! - values[a]! || a - b)
    .slice(0, k);
}
