/**
 * Finds the class vectors that have changed enough since the tree last stored them, and updates the tree, one block of
 * classes at a time. A tree with slightly outdated vectors still knows the exact probabilities of its draws, and the
 * draws are hardly worse: with every vector of a trained model off by a tenth of its length the bias of the gradient
 * was unchanged; with a fifth of its length it was 2 to 11 % larger. A step usually changes the vector of a negative
 * sample much less, and updating the tree for each change would cost more than the draws: 2R·d for the features before
 * and after.
 */
import type { FloatArray } from '@vastmax/linalg-core';
import type { FeatureTree } from './feature-tree.ts';
import { projectVectors } from './kernel-features.ts';

const rowsPerBlock = 512;

export class ChangedClasses {
  readonly #tree: FeatureTree;
  readonly #tolerance: number;
  /** For each class, the position of its new vector. */
  readonly #positions: Int32Array;
  #moved: Int32Array = new Int32Array(0);
  readonly #classes = new Int32Array(rowsPerBlock);
  readonly #vectors: Float64Array;
  readonly #before: Float64Array;
  readonly #projected: Float64Array;
  readonly #projectedBefore: Float64Array;

  constructor(tree: FeatureTree, tolerance: number) {
    const { dimensions, projectedSize } = tree.features;
    this.#tree = tree;
    this.#tolerance = tolerance;
    this.#positions = new Int32Array(tree.classes);
    this.#vectors = new Float64Array(rowsPerBlock * dimensions);
    this.#before = new Float64Array(rowsPerBlock * dimensions);
    this.#projected = new Float64Array(rowsPerBlock * projectedSize);
    this.#projectedBefore = new Float64Array(rowsPerBlock * projectedSize);
  }

  /**
   * @param classes the first `count`, each once, in any order.
   * @param vectors count×d.
   * @returns how many classes were updated in the tree. Cost: O(count·d), and at most O(p·d + size·log₂ leaves) for
   * each updated class.
   */
  update(classes: Int32Array, count: number, vectors: FloatArray): number {
    const { features, vectors: own } = this.#tree;
    const { dimensions } = features;
    if (this.#moved.length < count) this.#moved = new Int32Array(Math.ceil(1.5 * count));
    let moved = 0;
    for (let i = 0; i < count; i++) {
      const row = classes[i]!;
      if (!this.#hasMoved(row, vectors, i)) continue;
      this.#positions[row] = i;
      this.#moved[moved++] = row;
    }
    this.#moved.subarray(0, moved).sort();
    for (let first = 0; first < moved; first += rowsPerBlock) {
      const size = Math.min(rowsPerBlock, moved - first);
      for (let i = 0, to = 0; i < size; i++) {
        const row = this.#moved[first + i]!;
        this.#classes[i] = row;
        const piece = own.pieces[row >> own.shift]!;
        const old = (row & own.mask) * dimensions;
        const fresh = this.#positions[row]! * dimensions;
        for (let feature = 0; feature < dimensions; feature++, to++) {
          // Rounded as the tree stores it: when the vector is later replaced, exactly the features that were added are
          // subtracted.
          this.#vectors[to] =
            this.#tree.precision === 'f32' ? Math.fround(vectors[fresh + feature]!) : vectors[fresh + feature]!;
          this.#before[to] = piece[old + feature]!;
        }
      }
      projectVectors(features, this.#vectors, size, this.#projected);
      projectVectors(features, this.#before, size, this.#projectedBefore);
      this.#tree.change({
        classes: this.#classes,
        count: size,
        vectors: this.#vectors,
        projected: this.#projected,
        projectedBefore: this.#projectedBefore,
      });
    }
    return moved;
  }

  #hasMoved(row: number, vectors: FloatArray, position: number): boolean {
    const { features, vectors: own } = this.#tree;
    const { dimensions } = features;
    const piece = own.pieces[row >> own.shift]!;
    const at = (row & own.mask) * dimensions;
    const from = position * dimensions;
    let distance = 0;
    let square = 0;
    for (let i = 0; i < dimensions; i++) {
      const old = piece[at + i]!;
      const step = vectors[from + i]! - old;
      distance += step * step;
      square += old * old;
    }
    return distance > this.#tolerance * this.#tolerance * square;
  }
}
