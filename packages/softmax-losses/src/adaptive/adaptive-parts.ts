/**
 * Maps a class to its part of the adaptive softmax (the head or a tail) and to its row there. Classes are first ranked
 * by frequency.
 */
import { classesByFrequency, ranksOfClasses } from '../class-table/frequency-order.ts';

export interface PartOfRange {
  /** For each class of the range that belongs to the part: its position in the range, and its row in the part. */
  readonly places: Int32Array;
  readonly rows: Int32Array;
}

export class AdaptiveParts {
  /** Rank of each class; undefined when class numbers are ranks. */
  readonly ranks: Int32Array | undefined;
  /** The first rank of each tail, and D at the end. */
  readonly bounds: readonly number[];

  constructor(classes: number, cutoffs: readonly number[], frequencies: ArrayLike<number> | undefined) {
    const ranks = frequencies === undefined ? undefined : ranksOfClasses(classesByFrequency(frequencies));
    this.ranks = ranks?.every((rank, k) => rank === k) === true ? undefined : ranks;
    this.bounds = [...cutoffs, classes];
  }

  /** Number of classes in the head itself. */
  get shortlist(): number {
    return this.bounds[0]!;
  }

  get tails(): number {
    return this.bounds.length - 1;
  }

  rankOf(target: number): number {
    return this.ranks === undefined ? target : this.ranks[target]!;
  }

  /** 0 for the head, i + 1 for tail i. */
  partOf(rank: number): number {
    let part = 0;
    while (rank >= this.bounds[part]!) part++;
    return part;
  }

  /** First rank of a part. */
  firstOf(part: number): number {
    return part === 0 ? 0 : this.bounds[part - 1]!;
  }

  /** The classes of a range, grouped by part. O(count·tails). */
  split(firstClass: number, count: number): readonly PartOfRange[] {
    const places: number[][] = Array.from({ length: this.tails + 1 }, () => []);
    const rows: number[][] = places.map(() => []);
    for (let place = 0; place < count; place++) {
      const rank = this.rankOf(firstClass + place);
      const part = this.partOf(rank);
      places[part]!.push(place);
      rows[part]!.push(rank - this.firstOf(part));
    }
    return places.map((list, part) => ({ places: Int32Array.from(list), rows: Int32Array.from(rows[part]!) }));
  }
}
