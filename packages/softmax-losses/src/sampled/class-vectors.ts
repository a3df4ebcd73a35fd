/** The class vectors and logits that a geometry (LogitGeometry) computes from the rows of a table. */
import { copyColumns, gatherRows, gemm, rowDot, type Indices, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { RowSource } from '../class-table/class-table.ts';
import type { LogitGeometry } from './logit-geometry.ts';
import { matrixWithCapacity } from './matrix-with-capacity.ts';

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

  /** One logit for each pair of a query and a class; out count×1. O(count·width). */
  pairLogits(queries: Matrix, examples: Int32Array, classes: Int32Array, count: number, out: Matrix): PairVectors {
    const places = this.workspace.indices('pair examples', examples, count);
    const list = this.workspace.indices('pair classes', classes, count);
    const vectors = this.gather(list, 'pair vectors');
    const pairQueries = this.workspace.matrix('pair queries', count, this.width);
    gatherRows(queries, places, pairQueries);
    rowDot(pairQueries, vectors, out);
    return { examples: places, classes: list, vectors, queries: pairQueries };
  }

  /** Vectors without biases, for nearest-neighbour search. @param out count×features. */
  featureVectors(first: number, out: Matrix): void {
    const vectors = this.gather(this.table.range(first, out.rows, 'logit range'), 'logit vectors');
    copyColumns(vectors, 0, out, 0, out.columns);
  }
}

export interface PairVectors {
  readonly examples: Indices;
  readonly classes: Indices;
  /** count×width, both. */
  readonly vectors: Matrix;
  readonly queries: Matrix;
}
