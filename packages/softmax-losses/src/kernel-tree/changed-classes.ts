/**
 * Which class vectors have moved far enough for the tree to follow, and the change of the tree by blocks of them. A
 * tree that lags behind still draws with probabilities that it knows exactly, and what it draws is hardly worse: with
 * every vector of a trained model off by a tenth of its length the bias of the gradient was what it was without, by a
 * fifth 2 to 11 % more. A negative sample's push is mostly far smaller, and following each would cost more than the
 * draws: 2R·d for its features before and after.
 */
import type { FloatArray } from '@vastmax/linalg-core';
import type { FeatureTree } from './feature-tree.ts';
import { projectVectors } from './kernel-features.ts';

const rowsPerBlock = 512;

export class ChangedClasses {
  readonly #tree: FeatureTree;
  readonly #tolerance: number;
  /** By class: where its new vector is. */
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
   * @returns how many the tree followed. O(count·d), and O(p·d + size·log₂ leaves) at most for each of those.
   */
  follow(classes: Int32Array, count: number, vectors: FloatArray): number {
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
          // As the tree will store it, so that taking the vector out again takes out what was put in.
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
