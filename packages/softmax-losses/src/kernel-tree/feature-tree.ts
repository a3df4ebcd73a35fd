/**
 * The sums of features with which kernel-based sampling descends a tree. Classes, in ascending order, are divided into
 * leaves of `leafClasses`. The leaves are the leaves of a balanced binary tree; a node is an interval of leaves that is
 * split in the middle. No two nodes split at the same leaf, so the leaf at which a node splits is its row number in a
 * single table: row s holds Σφ(c) over the classes of the LEFT half of the node that splits at leaf s; row 0, at which
 * no node splits, holds the sum over all classes. The right half of a node is the node minus its left half, which saves
 * half of the memory and half of the scalar products.
 *
 * Leaves have no sums. Their classes are scored one by one with the kernel itself, so the tree keeps its own copy of
 * the class vectors. With leaves of about size/d classes the table of sums is as large as that copy.
 */
import { readTableRows, TablePieces, writeTableRows, type FloatArray, type Precision } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import { projectVectors, type KernelFeatures } from './kernel-features.ts';

export interface FeatureTreeOptions {
  /** D. */
  readonly classes: number;
  readonly features: KernelFeatures;
  /** Classes in a leaf; default size/d, rounded. Memory of the sums: D/leafClasses·size numbers. */
  readonly leafClasses?: number;
  /** Precision of the stored sums and vectors; default f32. Scores are computed in f64. */
  readonly precision?: Precision;
}

/** Changed classes: their new vectors, and the projections of the new and the old vectors. */
export interface VectorChanges {
  /** Ascending and distinct; the first `count`. */
  readonly classes: Int32Array;
  readonly count: number;
  /** count×d, the new vectors. */
  readonly vectors: FloatArray;
  /** count×p, the new vectors projected. */
  readonly projected: FloatArray;
  /** count×p, the old vectors, projected; undefined while the tree is being filled. */
  readonly projectedBefore: FloatArray | undefined;
}

export class FeatureTree {
  readonly classes: number;
  readonly features: KernelFeatures;
  readonly leafClasses: number;
  /** Number of leaves. */
  readonly leaves: number;
  readonly precision: Precision;
  /** D×d. */
  readonly vectors: TablePieces;
  /** leaves×size; see the comment at the top of this file. */
  readonly sums: TablePieces;
  /** A stack of running sums: one for each left branch on the current path. */
  readonly #deltas: Float64Array;

  /**
   * Creates the tree; all vectors and sums are 0.
   * @throws OutputLayerError `bad-option`; LinalgError `out-of-memory`.
   */
  constructor(options: FeatureTreeOptions) {
    const { classes, features, precision = 'f32' } = options;
    const { leafClasses = Math.max(1, Math.round(features.size / features.dimensions)) } = options;
    if (!Number.isSafeInteger(classes) || classes < 1 || classes > 2 ** 31 - 1) {
      throw new OutputLayerError(
        'bad-option',
        `feature tree: classes must be a whole number from 1 to 2³¹ − 1, got ${classes}`,
      );
    }
    if (!Number.isSafeInteger(leafClasses) || leafClasses < 1) {
      throw new OutputLayerError(
        'bad-option',
        `feature tree: leafClasses must be a whole number of at least 1, got ${leafClasses}`,
      );
    }
    this.classes = classes;
    this.features = features;
    this.leafClasses = Math.min(leafClasses, classes);
    this.leaves = Math.ceil(classes / this.leafClasses);
    this.precision = precision;
    this.vectors = new TablePieces(features.dimensions, precision);
    this.vectors.grow(classes);
    this.sums = new TablePieces(features.size, precision);
    this.sums.grow(this.leaves);
    this.#deltas = new Float64Array((2 + Math.ceil(Math.log2(this.leaves))) * features.size);
  }

  /** Bytes of the vectors and sums. */
  get bytes(): number {
    const numbers = this.classes * this.features.dimensions + this.leaves * this.features.size;
    return numbers * (this.precision === 'f32' ? 4 : 8);
  }

  /** Sets all sums to 0, before they are computed again. The vectors stay. */
  clearSums(): void {
    for (const piece of this.sums.pieces) piece.fill(0);
  }

  /**
   * Stores the new vectors and adds φ(new) − φ(old) to every sum that contains a changed class. Each touched node is
   * visited once, however many of its classes changed: O(count·size) for the features and at most O(count·size·log₂
   * leaves) additions. Allocates nothing.
   */
  change(changes: VectorChanges): void {
    const { classes, count, vectors } = changes;
    if (count === 0) return;
    const { size, dimensions } = this.features;
    this.#deltas.fill(0, 0, size);
    this.#addChanges(0, this.leaves, 0, 0, count, changes);
    addTo(this.sums, 0, this.#deltas, 0, size);
    const { pieces, shift, mask } = this.vectors;
    for (let i = 0, from = 0; i < count; i++) {
      const row = classes[i]!;
      const piece = pieces[row >> shift]!;
      for (let to = (row & mask) * dimensions, end = to + dimensions; to < end; from++, to++)
        piece[to] = vectors[from]!;
    }
  }

  /**
   * Adds the change of leaves `from` … `to − 1`, which contain the changed classes at positions `first` … `last − 1`,
   * to running sum `level`.
   */
  #addChanges(from: number, to: number, level: number, first: number, last: number, changes: VectorChanges): void {
    const { size } = this.features;
    const deltas = this.#deltas;
    const own = level * size;
    while (to - from > 1) {
      const middle = (from + to) >>> 1;
      const split = firstAtLeast(changes.classes, first, last, middle * this.leafClasses);
      if (split > first) {
        const left = own + size;
        deltas.fill(0, left, left + size);
        this.#addChanges(from, middle, level + 1, first, split, changes);
        addTo(this.sums, middle, deltas, left, size);
        for (let i = 0; i < size; i++) deltas[own + i] = deltas[own + i]! + deltas[left + i]!;
      }
      if (split === last) return;
      from = middle;
      first = split;
    }
    const { projected, projectedBefore } = changes;
    this.features.addFeatures(projected, first, last - first, 1, deltas, own);
    if (projectedBefore !== undefined) this.features.addFeatures(projectedBefore, first, last - first, -1, deltas, own);
  }
}

/**
 * Computes the sums from the tree's own vectors, by loops on the host. O(D·(p·d + size)). fillSums does the same with a
 * backend.
 */
export function rebuildSums(tree: FeatureTree): void {
  const { classes: total, features } = tree;
  const { dimensions, projectedSize } = features;
  const block = Math.min(total, 1024);
  const classes = new Int32Array(block);
  const vectors = new Float64Array(block * dimensions);
  const projected = new Float64Array(block * projectedSize);
  tree.clearSums();
  for (let first = 0; first < total; first += block) {
    const count = Math.min(block, total - first);
    for (let i = 0; i < count; i++) classes[i] = first + i;
    readTableRows(tree.vectors, first, count, vectors);
    projectVectors(features, vectors, count, projected);
    tree.change({ classes, count, vectors, projected, projectedBefore: undefined });
  }
}

/** Sets `count` vectors from `first` on. The sums are not updated. */
export function writeVectors(tree: FeatureTree, first: number, count: number, values: ArrayLike<number>): void {
  writeTableRows(values, first, count, tree.vectors);
}

/** The first position in [first, last) whose class is at least `bound`; `last` if there is none. */
function firstAtLeast(classes: Int32Array, first: number, last: number, bound: number): number {
  let low = first;
  let high = last;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (classes[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

function addTo(table: TablePieces, row: number, values: Float64Array, at: number, size: number): void {
  const piece = table.pieces[row >> table.shift]!;
  const to = (row & table.mask) * size;
  for (let i = 0; i < size; i++) piece[to + i] = piece[to + i]! + values[at + i]!;
}
