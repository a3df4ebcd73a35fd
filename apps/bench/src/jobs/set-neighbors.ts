/**
 * Completion of a set from its nearest sets, the memory-based rival of an autoencoder: it learns nothing and keeps all
 * sets. Nearness is the cosine of sets whose elements weigh the less the more sets they are in; a candidate's score is
 * the nearness of the near sets that have it.
 */
import type { CsrRows } from '@vastmax/sparse-data';

export class SetNeighbors {
  readonly #sets: CsrRows;
  readonly #nearest: number;
  /** ln(sets / sets with the element), squared, for each element. */
  readonly #weights: Float64Array;
  readonly #norms: Float64Array;
  /** The sets of each element: the transpose of the rows. */
  readonly #starts: Int32Array;
  readonly #owners: Int32Array;
  readonly #nearness: Float64Array;
  readonly #scores: Float64Array;

  /** @param nearest how many sets are asked. O(entries). */
  constructor(sets: CsrRows, nearest: number) {
    const { rows, columns, offsets, indices } = sets;
    this.#sets = sets;
    this.#nearest = nearest;
    this.#starts = new Int32Array(columns + 1);
    for (const element of indices) this.#starts[element + 1]!++;
    for (let element = 0; element < columns; element++) this.#starts[element + 1]! += this.#starts[element]!;
    const next = this.#starts.slice();
    this.#owners = new Int32Array(indices.length);
    this.#weights = Float64Array.from(
      { length: columns },
      (_, element) => Math.log(rows / Math.max(1, this.#starts[element + 1]! - this.#starts[element]!)) ** 2,
    );
    this.#norms = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++) {
        const element = indices[entry]!;
        this.#owners[next[element]!++] = row;
        this.#norms[row]! += this.#weights[element]!;
      }
      this.#norms[row] = Math.sqrt(this.#norms[row]!);
    }
    this.#nearness = new Float64Array(rows);
    this.#scores = new Float64Array(columns);
  }

  /**
   * The best k elements that the set of this row lacks, best first. O(entries of its elements' sets + entries of the
   * near sets + columns).
   */
  complete(row: number, k: number): number[] {
    const { offsets, indices } = this.#sets;
    const own = indices.subarray(offsets[row]!, offsets[row + 1]!);
    this.#nearness.fill(0);
    for (const element of own) {
      for (let at = this.#starts[element]!; at < this.#starts[element + 1]!; at++)
        this.#nearness[this.#owners[at]!]! += this.#weights[element]!;
    }
    for (let other = 0; other < this.#nearness.length; other++)
      this.#nearness[other]! /= Math.max(1e-12, this.#norms[other]!);
    this.#nearness[row] = 0;
    this.#scores.fill(0);
    for (const near of topOf(this.#nearness, this.#nearest)) {
      for (let entry = offsets[near]!; entry < offsets[near + 1]!; entry++)
        this.#scores[indices[entry]!]! += this.#nearness[near]!;
    }
    for (const element of own) this.#scores[element] = 0;
    return topOf(this.#scores, k);
  }
}

/**
 * The places of the k largest values that are above zero, largest first; of equal ones the smaller place. O(n + n·k in
 * the worst case).
 */
export function topOf(values: Float64Array, k: number): number[] {
  const best: number[] = [];
  let worst = 0;
  for (let place = 0; place < values.length; place++) {
    const value = values[place]!;
    if (!(value > worst)) continue;
    let position = Math.min(best.length, k - 1);
    while (position > 0 && values[best[position - 1]!]! < value) {
      best[position] = best[position - 1]!;
      position--;
    }
    best[position] = place;
    if (best.length === k) worst = values[best[k - 1]!]!;
  }
  return best;
}
