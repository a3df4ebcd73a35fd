/**
 * Computes the sums of a tree. If there is a backend, each block of class vectors is projected by one matrix product;
 * otherwise by loops.
 */
import {
  createHostArray,
  createMatrixFrom,
  gemm,
  read,
  readTableRows,
  write,
  type Backend,
  type FloatArray,
  type Matrix,
} from '@vastmax/linalg-core';
import type { FeatureTree } from './feature-tree.ts';
import { projectVectors, type KernelFeatures } from './kernel-features.ts';

const rowsPerBlock = 1024;

/**
 * Computes all sums from the tree's own vectors, always by the same sequence of operations, so that equal vectors give
 * equal sums. O(D·(p·d + size)); the first term at the backend's speed.
 */
export async function fillSums(tree: FeatureTree, backend?: Backend): Promise<void> {
  const { classes: total, features } = tree;
  const { dimensions, projectedSize } = features;
  const block = Math.min(total, rowsPerBlock);
  const classes = new Int32Array(block);
  const vectors =
    backend === undefined ? new Float64Array(block * dimensions) : createHostArray(backend, block * dimensions);
  const projected =
    backend === undefined ? new Float64Array(block * projectedSize) : createHostArray(backend, block * projectedSize);
  using product =
    backend === undefined || features.projection === undefined
      ? undefined
      : new BackendProduct(backend, features, features.projection, block);
  tree.clearSums();
  for (let first = 0; first < total; first += block) {
    const count = Math.min(block, total - first);
    for (let i = 0; i < count; i++) classes[i] = first + i;
    readTableRows(tree.vectors, first, count, vectors);
    if (product === undefined) projectVectors(features, vectors, count, projected);
    else await product.project(vectors, count, projected);
    tree.change({ classes, count, vectors, projected, projectedBefore: undefined });
  }
}

class BackendProduct implements Disposable {
  readonly #projection: Matrix;
  readonly #vectors: Matrix;
  readonly #projected: Matrix;

  constructor(backend: Backend, { projectedSize, dimensions }: KernelFeatures, projection: Float64Array, rows: number) {
    this.#projection = createMatrixFrom(backend, projectedSize, dimensions, projection);
    this.#vectors = backend.createMatrix(rows, dimensions);
    this.#projected = backend.createMatrix(rows, projectedSize);
  }

  async project(vectors: FloatArray, count: number, projected: FloatArray): Promise<void> {
    const { columns } = this.#vectors;
    write(vectors.subarray(0, count * columns), this.#vectors.resize(count, columns));
    gemm(this.#vectors, this.#projection, this.#projected.resize(count, this.#projection.rows), { transposeB: true });
    await read(this.#projected, projected);
  }

  [Symbol.dispose](): void {
    this.#projection[Symbol.dispose]();
    this.#vectors[Symbol.dispose]();
    this.#projected[Symbol.dispose]();
  }
}
