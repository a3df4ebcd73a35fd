import { OutputLayerError } from '@vastmax/output-layer';
import { checkClasses, type FixedProposal } from './proposal.ts';
import { findTensor, StateError } from '@vastmax/linalg-core/state';

/** `smoothing` is the count that every class begins with. */
export interface LearnedUnigramOptions {
  /**
   * Added to the count of every class; default 1. The initial distribution is uniform, and every class always has a
   * positive probability.
   */
  readonly smoothing?: number;
}

/**
 * P(k) = (count(k) + smoothing)/(N + smoothing·D), where the targets are counted during training (TensorFlow's
 * learned_unigram_candidate_sampler). The probabilities are exact at each draw: a draw is uniform with probability
 * smoothing·D/(N + smoothing·D), and otherwise follows the counts by a Fenwick tree. O(log D) per draw and per counted
 * target, 16 bytes per class. The proposal has state, so two layers must not share one.
 * @throws OutputLayerError `bad-option` for a bad number of classes, or a smoothing that is not positive and finite.
 */
export function createLearnedUnigramProposal(classes: number, options: LearnedUnigramOptions = {}): FixedProposal {
  const { smoothing = 1 } = options;
  checkClasses('learned-unigram', classes);
  if (!Number.isFinite(smoothing) || !(smoothing > 0)) {
    throw new OutputLayerError(
      'bad-option',
      `learned-unigram proposal: smoothing must be a finite number above 0, got ${smoothing}`,
    );
  }
  const sums = new FenwickTree(classes);
  const uniformMass = smoothing * classes;
  return {
    kind: 'fixed',
    name: 'learned-unigram',
    classes,
    options: { smoothing },
    draw: (count, random, classesOut, offset) => {
      const { total } = sums;
      for (let i = 0; i < count; i++) {
        const isCounted = random.uniform() * (total + uniformMass) < total;
        classesOut[offset + i] = isCounted ? sums.find(random.integer(total)) : random.integer(classes);
      }
    },
    logProbability: (target) => Math.log((sums.counts[target]! + smoothing) / (sums.total + uniformMass)),
    observe: (targets, count) => {
      for (let i = 0; i < count; i++) sums.increment(targets[i]!);
    },
    state: () => ({
      configuration: {},
      tensors: [
        {
          name: 'counts',
          precision: 'f64',
          rows: classes,
          columns: 1,
          read: (first, count) => Promise.resolve(sums.counts.slice(first, first + count)),
        },
      ],
    }),
    prepareRestore: async (state) => {
      const counts = (await findTensor(state, 'counts', classes, 1).read(0, classes)).subarray(0, classes);
      const bad = counts.findIndex((count) => !Number.isSafeInteger(count) || count < 0);
      if (bad >= 0) {
        throw new StateError(
          'state-mismatch',
          `learned-unigram proposal: the count of class ${bad} is ${counts[bad]} in the state, expected a whole number`,
        );
      }
      return () => {
        sums.assign(counts);
      };
    },
  };
}

/**
 * Integer counts of n values with prefix sums (P. Fenwick 1994). Incrementing a count, and finding the value at a given
 * position of the cumulative counts, cost O(log n). The counts are integers, so the sums are exact in f64 up to 2⁵³ and
 * accumulate no rounding errors.
 */
export class FenwickTree {
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

  /** Replaces all counts. O(n). */
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
