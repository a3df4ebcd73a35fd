/**
 * The keys and values of the positions that a transformer has read, so that reading one more costs its own products with
 * the weights, and attention to those before it: for T positions O(T·d) a layer instead of O(T·d² + T²·d) for all of
 * them again.
 */
import {
  binary,
  copyColumns,
  exponentiateRows,
  gemm,
  scaleRows,
  scatterRows,
  unary,
  type Backend,
  type Indices,
  type Matrix,
} from '@vastmax/linalg-core';
import type { Tape } from '@vastmax/autodiff';

/** The sizes of a cache. */
export interface CacheSizes {
  readonly context: number;
  readonly embedding: number;
  readonly heads: number;
}

/** New positions of a text: rows `before` … of the cache. */
export interface NewPositions {
  /** How many positions the cache has already. */
  readonly before: number;
  /** Their numbers, `before` …. */
  readonly positions: Indices;
  /** rows×(before + rows): 0 where a position may see another, −∞ where that comes later; of one row undefined. */
  readonly mask: Matrix | undefined;
}

/** Of one layer. Memory: 2·context·embedding numbers. */
export class AttentionCache implements Disposable {
  readonly #width: number;
  /** Of each head, context×w. */
  readonly #keys: readonly Matrix[];
  readonly #values: readonly Matrix[];

  constructor(backend: Backend, { context, embedding, heads }: CacheSizes) {
    this.#width = embedding / heads;
    const create = (): Matrix[] => Array.from({ length: heads }, () => backend.createMatrix(context, this.#width));
    this.#keys = create();
    this.#values = create();
  }

  /** `attention` of new positions to all before them and themselves, n×(heads·w); keys and values are kept. */
  attend(
    tape: Tape,
    [query, key, value]: readonly [query: Matrix, key: Matrix, value: Matrix],
    { before, positions, mask }: NewPositions,
  ): Matrix {
    const width = this.#width;
    const { rows, columns } = query;
    const seen = before + rows;
    const out = tape.allocate(rows, columns);
    const part = tape.allocate(rows, width);
    const scores = tape.allocate(rows, seen);
    const maxima = tape.allocate(rows, 1);
    const sums = tape.allocate(rows, 1);
    for (const [head, keys] of this.#keys.entries()) {
      const values = this.#values[head]!;
      const column = head * width;
      for (const [source, kept] of [
        [key, keys],
        [value, values],
      ] as const) {
        copyColumns(source, column, part, 0, width);
        scatterRows(part, positions, kept.resize(seen, width));
      }
      copyColumns(query, column, part, 0, width);
      gemm(part, keys, scores, { transposeB: true, alpha: 1 / Math.sqrt(width) });
      if (mask !== undefined) binary('add', scores, mask, scores);
      exponentiateRows(scores, maxima, sums);
      unary('reciprocal', sums, sums);
      gemm(scores, values, part);
      scaleRows(part, sums, part);
      copyColumns(part, 0, out, column, width);
    }
    return out;
  }

  [Symbol.dispose](): void {
    for (const matrix of [...this.#keys, ...this.#values]) matrix[Symbol.dispose]();
  }
}
