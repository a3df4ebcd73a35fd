/**
 * Draws classes from a feature tree, for one query after another. A branch is taken with probability proportional to
 * its score φ(h)ᵀΣφ(c), which estimates a sum of kernels. The estimate can be too small or negative, so it is clamped
 * from below to `floor` times the number of classes in the branch. The probability of a draw is the product of the
 * clamped branch probabilities that were used, so it is exact however good the features are, and a sampled loss that
 * divides by it stays consistent.
 *
 * Node scores and the kernels of visited leaves are kept until the next query: n draws of one query visit each node
 * once, and the first few levels are shared by all of them.
 */
import type { FloatArray } from '@vastmax/linalg-core';
import type { RandomGenerator } from '@vastmax/sparse-data';
import type { FeatureTree } from './feature-tree.ts';
import { scalarProduct } from './kernel-features.ts';

export interface TreeDescentOptions {
  /** Lower bound of the score of a branch, per class in it; above 0. Default: the lower bound of the kernel. */
  readonly floor?: number;
}

export class TreeDescent {
  readonly tree: FeatureTree;
  readonly floor: number;
  /** Probability of the last class drawn. */
  probability = 1;
  /** Number of scalar products with sums since creation: a measure of the cost of draws. */
  nodesScored = 0;
  readonly #query: Float64Array;
  readonly #features: Float64Array;
  /** For each split: the number of the last query that scored it, and its score. */
  readonly #marks: Int32Array;
  readonly #scores: Float64Array;
  /**
   * For each leaf: the number of the last query that visited it, and where the cumulative sums of its kernels begin in
   * the pool.
   */
  readonly #leafMarks: Int32Array;
  readonly #leafPlaces: Int32Array;
  #pool: Float64Array;
  #poolUsed = 0;
  #queryNumber = 0;

  constructor(tree: FeatureTree, options: TreeDescentOptions = {}) {
    this.tree = tree;
    this.floor = options.floor ?? tree.features.minKernel;
    this.#query = new Float64Array(tree.features.dimensions);
    this.#features = new Float64Array(tree.features.size);
    this.#marks = new Int32Array(tree.leaves);
    this.#scores = new Float64Array(tree.leaves);
    this.#leafMarks = new Int32Array(tree.leaves);
    this.#leafPlaces = new Int32Array(tree.leaves);
    this.#pool = new Float64Array(64 * tree.leafClasses);
  }

  /**
   * Begins another query; must also be called after the tree was changed. O(size).
   * @param vectors the d numbers of h at `row`·d.
   * @param projected its p projected numbers at `row`·p.
   */
  begin(vectors: FloatArray, projected: FloatArray, row: number): void {
    const { features } = this.tree;
    const { dimensions } = features;
    for (let i = 0; i < dimensions; i++) this.#query[i] = vectors[row * dimensions + i]!;
    this.#features.fill(0);
    features.addFeatures(projected, row, 1, 1, this.#features, 0);
    this.#poolUsed = 0;
    if (this.#queryNumber === 0x7fffffff) {
      this.#marks.fill(0);
      this.#leafMarks.fill(0);
      this.#queryNumber = 0;
    }
    this.#queryNumber++;
  }

  /**
   * Draws a class; its probability is then `this.probability` (NaN, and class 0, if the query is not finite).
   * O(size·log₂ leaves + leafClasses·d), less for nodes that an earlier draw of the same query has visited.
   */
  draw(random: RandomGenerator): number {
    let from = 0;
    let to = this.tree.leaves;
    let score = this.#scoreOf(0);
    if (!Number.isFinite(score)) {
      this.probability = Number.NaN;
      return 0;
    }
    let probability = 1;
    while (to - from > 1) {
      const middle = (from + to) >>> 1;
      const leftScore = this.#scoreOf(middle);
      const left = this.#clamp(leftScore, from, middle);
      const right = this.#clamp(score - leftScore, middle, to);
      if (random.uniform() * (left + right) < left) {
        probability *= left / (left + right);
        score = leftScore;
        to = middle;
      } else {
        probability *= right / (left + right);
        score -= leftScore;
        from = middle;
      }
    }
    const place = this.#kernelsOf(from);
    const count = this.#classesIn(from, from + 1);
    const total = this.#pool[place + count - 1]!;
    const point = random.uniform() * total;
    let low = 0;
    for (let high = count - 1; low < high;) {
      const middle = (low + high) >>> 1;
      if (this.#pool[place + middle]! > point) high = middle;
      else low = middle + 1;
    }
    const before = low === 0 ? 0 : this.#pool[place + low - 1]!;
    this.probability = (probability * (this.#pool[place + low]! - before)) / total;
    return from * this.tree.leafClasses + low;
  }

  /** The probability that `draw` returns this class. Same cost as `draw`. */
  probabilityOf(target: number): number {
    const { leafClasses } = this.tree;
    const leaf = Math.floor(target / leafClasses);
    let from = 0;
    let to = this.tree.leaves;
    let score = this.#scoreOf(0);
    let probability = 1;
    while (to - from > 1) {
      const middle = (from + to) >>> 1;
      const leftScore = this.#scoreOf(middle);
      const left = this.#clamp(leftScore, from, middle);
      const right = this.#clamp(score - leftScore, middle, to);
      if (leaf < middle) {
        probability *= left / (left + right);
        score = leftScore;
        to = middle;
      } else {
        probability *= right / (left + right);
        score -= leftScore;
        from = middle;
      }
    }
    const place = this.#kernelsOf(leaf);
    const position = target - leaf * leafClasses;
    const before = position === 0 ? 0 : this.#pool[place + position - 1]!;
    return (
      (probability * (this.#pool[place + position]! - before)) /
      this.#pool[place + this.#classesIn(leaf, leaf + 1) - 1]!
    );
  }

  #clamp(score: number, from: number, to: number): number {
    const minimum = this.floor * this.#classesIn(from, to);
    return score > minimum ? score : minimum;
  }

  #classesIn(from: number, to: number): number {
    const { leafClasses, leaves, classes } = this.tree;
    return (to === leaves ? classes : to * leafClasses) - from * leafClasses;
  }

  #scoreOf(split: number): number {
    if (this.#marks[split] === this.#queryNumber) return this.#scores[split]!;
    const { sums, features } = this.tree;
    const score = scalarProduct(
      this.#features,
      0,
      sums.pieces[split >> sums.shift]!,
      (split & sums.mask) * features.size,
      features.size,
    );
    this.#marks[split] = this.#queryNumber;
    this.#scores[split] = score;
    this.nodesScored++;
    return score;
  }

  /** The position in the pool of the cumulative sums of the kernels of a leaf's classes. */
  #kernelsOf(leaf: number): number {
    if (this.#leafMarks[leaf] === this.#queryNumber) return this.#leafPlaces[leaf]!;
    const { leafClasses, features, vectors } = this.tree;
    const place = this.#poolUsed;
    if (this.#pool.length < place + leafClasses) {
      const larger = new Float64Array(2 * this.#pool.length);
      larger.set(this.#pool);
      this.#pool = larger;
    }
    const first = leaf * leafClasses;
    const count = this.#classesIn(leaf, leaf + 1);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const row = first + i;
      sum += Math.max(
        features.kernel(this.#query, vectors.pieces[row >> vectors.shift]!, (row & vectors.mask) * features.dimensions),
        this.floor,
      );
      this.#pool[place + i] = sum;
    }
    this.#poolUsed = place + leafClasses;
    this.#leafMarks[leaf] = this.#queryNumber;
    this.#leafPlaces[leaf] = place;
    return place;
  }
}
