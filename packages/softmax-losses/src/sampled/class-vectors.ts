/** The class vectors and logits that a geometry (LogitGeometry) computes from the rows of a table. */
import {
  copyColumns,
  gatheredRowDot,
  gatherRows,
  gemm,
  rowDot,
  scaleRows,
  scatterAddRows,
  sparseTimesRows,
  type Indices,
  type Matrix,
  type RowTable,
  type Workspace,
} from '@vastmax/linalg-core';
import type { RowGradient } from '@vastmax/update-rules';
import { ScaledRowGradient } from '../class-table/scaled-row-gradient.ts';
import type { RowSource } from '../class-table/class-table.ts';
import type { LogitGeometry } from './logit-geometry.ts';
import { matrixWithCapacity } from './matrix-with-capacity.ts';

/** The rows of drawn classes as a matrix, and the way back of their gradients. */
export class ClassVectors {
  readonly table: RowSource;
  readonly geometry: LogitGeometry;
  readonly workspace: Workspace;

  constructor(table: RowSource, geometry: LogitGeometry, workspace: Workspace) {
    this.table = table;
    this.geometry = geometry;
    this.workspace = workspace;
  }

  get classes(): number {
    return this.table.rows;
  }

  get width(): number {
    return this.table.width;
  }

  /**
   * The vectors of some classes, count×width, in the workspace matrix `name`. O(count·width).
   * @param maxCount largest possible number of classes; sets the capacity of the matrix.
   */
  gather(classes: Indices, name: string, maxCount: number = classes.count): Matrix {
    const vectors = matrixWithCapacity(this.workspace, name, classes.count, this.width, { rows: maxCount });
    this.table.gather(classes, vectors);
    this.geometry.toVectors(vectors, name, maxCount);
    return vectors;
  }

  /** Logits of out.columns consecutive classes. @param queries m×width. @param out m×count. O(m·count·width). */
  rangeLogits(queries: Matrix, first: number, out: Matrix): void {
    const vectors = this.gather(this.table.range(first, out.columns, 'logit range'), 'logit vectors');
    gemm(queries, vectors, out, { transposeB: true });
  }

  /**
   * One logit for each pair of a query and a class; out count×1. O(count·width). Rows are read where they are, unless
   * vectors are computed from them or they are elsewhere.
   */
  pairLogits(queries: Matrix, examples: Int32Array, classes: Int32Array, count: number, out: Matrix): Pairs {
    const places = this.workspace.indices('pair examples', examples, count);
    const list = this.workspace.indices('pair classes', classes, count);
    const { table } = this.table;
    if (table !== undefined && this.geometry.temperature === undefined) {
      gatheredRowDot(queries, places, table, list, out, this.#allocate);
      return new PairsInPlace(this.workspace, queries, places, table, list);
    }
    const vectors = this.gather(list, 'pair vectors');
    const pairQueries = this.workspace.matrix('pair queries', count, this.width);
    gatherRows(queries, places, pairQueries);
    rowDot(pairQueries, vectors, out);
    return new GatheredPairs(this, pairQueries, places, vectors, list);
  }

  readonly #allocate = (rows: number, columns: number, which: 'a' | 'b'): Matrix =>
    this.workspace.matrix(which === 'a' ? 'pair queries' : 'pair vectors', rows, columns);

  /** Vectors without biases, for nearest-neighbour search. @param out count×features. */
  featureVectors(first: number, out: Matrix): void {
    const vectors = this.gather(this.table.range(first, out.rows, 'logit range'), 'logit vectors');
    copyColumns(vectors, 0, out, 0, out.columns);
  }
}

/** Pairs of a query and a class vector, with the gradient of their logits. */
export interface Pairs {
  readonly examples: Indices;
  readonly classes: Indices;
  /** out += the gradient with respect to the queries. @param gradient count×1, of the logits. @param out m×width. */
  addQueryGradient(gradient: Matrix, out: Matrix): void;
  /** The gradient with respect to the rows of the classes. To be called last: may overwrite what it was made from. */
  rowGradient(gradient: Matrix): RowGradient;
}

/** Neither queries nor rows are copied. */
class PairsInPlace implements Pairs {
  readonly examples: Indices;
  readonly classes: Indices;
  readonly #workspace: Workspace;
  readonly #queries: Matrix;
  readonly #table: RowTable;

  constructor(workspace: Workspace, queries: Matrix, examples: Indices, table: RowTable, classes: Indices) {
    this.#workspace = workspace;
    this.#queries = queries;
    this.examples = examples;
    this.#table = table;
    this.classes = classes;
  }

  addQueryGradient(gradient: Matrix, out: Matrix): void {
    const entries = { rowIndices: this.examples, columnIndices: this.classes, values: gradient };
    sparseTimesRows(entries, this.#table, out, this.#allocate);
  }

  rowGradient(gradient: Matrix): RowGradient {
    const scratch = { workspace: this.#workspace, name: 'pair row gradient' };
    return new ScaledRowGradient(this.classes, this.#queries, this.examples, gradient, scratch);
  }

  readonly #allocate = (rows: number, columns: number): Matrix => this.#workspace.matrix('pair shares', rows, columns);
}

/** Copies of the rows: vectors that are computed from rows, or rows that a rank has fetched. */
class GatheredPairs implements Pairs {
  readonly examples: Indices;
  readonly classes: Indices;
  readonly #parent: ClassVectors;
  /** count×width, both. */
  readonly #queries: Matrix;
  readonly #vectors: Matrix;

  constructor(parent: ClassVectors, queries: Matrix, examples: Indices, vectors: Matrix, classes: Indices) {
    this.#parent = parent;
    this.#queries = queries;
    this.examples = examples;
    this.#vectors = vectors;
    this.classes = classes;
  }

  addQueryGradient(gradient: Matrix, out: Matrix): void {
    const shares = this.#parent.workspace.matrix('pair shares', this.classes.count, out.columns);
    scaleRows(this.#vectors, gradient, shares);
    scatterAddRows(shares, this.examples, out);
  }

  rowGradient(gradient: Matrix): RowGradient {
    scaleRows(this.#queries, gradient, this.#queries);
    this.#parent.geometry.toRowGradient(this.#vectors, this.#queries, 'pair vectors', this.classes.count);
    return { indices: this.classes, rows: this.#queries };
  }
}
