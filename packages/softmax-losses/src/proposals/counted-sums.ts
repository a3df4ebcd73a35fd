/**
 * Whole-number counts of n values with sums over prefixes (P. Fenwick 1994): a count is raised, and the value at a
 * given place of the cumulated counts found, in O(log n). The counts are whole, so the sums are exact in f64 up to 2⁵³
 * and never drift.
 */
export class CountedSums {
  readonly counts: Float64Array;
  /** sums[i] covers the i & -i values that end with value i - 1. */
  readonly #sums: Float64Array;
  readonly #top: number;
  #total = 0;

  constructor(size: number) {
    this.counts = new Float64Array(size);
    this.#sums = new Float64Array(size + 1);
    this.#top = 2 ** Math.floor(Math.log2(Math.max(1, size)));
  }

  get total(): number {
    return this.#total;
  }

  increment(value: number): void {
    const sums = this.#sums;
    this.counts[value]!++;
    this.#total++;
    for (let node = value + 1; node < sums.length; node += node & -node) sums[node]!++;
  }

  /** The value v with counts[0] + … + counts[v - 1] ≤ place < the same plus counts[v]. @param place in [0, total). */
  find(place: number): number {
    const sums = this.#sums;
    let node = 0;
    let left = place;
    for (let stride = this.#top; stride >= 1; stride /= 2) {
      const next = node + stride;
      if (next >= sums.length || sums[next]! > left) continue;
      node = next;
      left -= sums[next]!;
    }
    return node;
  }

  /** Replace all counts. O(n). */
  assign(counts: ArrayLike<number>): void {
    const sums = this.#sums;
    sums.fill(0);
    this.#total = 0;
    for (let value = 0; value < this.counts.length; value++) {
      this.counts[value] = counts[value]!;
      this.#total += counts[value]!;
    }
    for (let node = 1; node < sums.length; node++) {
      sums[node]! += this.counts[node - 1]!;
      const parent = node + (node & -node);
      if (parent < sums.length) sums[parent]! += sums[node]!;
    }
  }
}
