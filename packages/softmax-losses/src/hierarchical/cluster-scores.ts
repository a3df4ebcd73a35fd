/**
 * log p(cluster | h) + log p(c | cluster, h) for a range of classes. The outputs of a range are one matrix product. The
 * rest of log p is one offset for each example and cluster, log p(cluster | h) − log Z(cluster, h), stored as
 * clusters×m. log Z of a cluster needs all its rows. If classes are numbered in the order of their clusters, a range
 * touches about as many rows as it has classes; in any other order it may touch all D. Each cluster is computed only
 * once as long as the caller says that hidden is unchanged.
 */
import {
  binary,
  gatherRows,
  gemm,
  reduce,
  scatterRows,
  unary,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { RowSource } from '../class-table/class-table.ts';
import { addTransposed } from '../layer/transpose.ts';
import type { ClusterLayout } from './cluster-layout.ts';

/** Log-probabilities of classes under a two-level tree, from the rows of clusters and classes. */
export class ClusterScores {
  readonly #workspace: Workspace;
  readonly #clusterTable: RowSource;
  readonly #table: RowSource;
  readonly #layout: ClusterLayout;
  /** 1 for each cluster whose offsets are up to date. */
  readonly #hasOffsets: Uint8Array;

  constructor(workspace: Workspace, clusterTable: RowSource, table: RowSource, layout: ClusterLayout) {
    this.#workspace = workspace;
    this.#clusterTable = clusterTable;
    this.#table = table;
    this.#layout = layout;
    this.#hasOffsets = new Uint8Array(layout.clusters);
  }

  /** @param hidden m×width, with the bias feature. @param out m×count. */
  range(hidden: Matrix, firstClass: number, out: Matrix, sameHidden: boolean): void {
    const { clusterOf, rowOf } = this.#layout;
    const count = out.columns;
    const offsets = this.#workspace.matrix('cluster offsets', this.#layout.clusters, hidden.rows);
    if (!sameHidden) {
      this.#hasOffsets.fill(0);
      this.#clusterLogProbabilities(hidden, offsets);
    }
    for (let target = firstClass; target < firstClass + count; target++) {
      const cluster = clusterOf[target]!;
      if (this.#hasOffsets[cluster] === 1) continue;
      this.#hasOffsets[cluster] = 1;
      this.#subtractLogPartition(hidden, cluster, offsets);
    }
    const rows = this.#matrix('class rows', count, this.#table.width);
    this.#table.gather(
      this.#workspace.indices('score class rows', rowOf.subarray(firstClass, firstClass + count)),
      rows,
    );
    gemm(hidden, rows, out, { transposeB: true });
    const own = this.#matrix('class offsets', count, hidden.rows);
    gatherRows(
      offsets,
      this.#workspace.indices('score clusters', clusterOf.subarray(firstClass, firstClass + count)),
      own,
    );
    addTransposed(this.#workspace, own, out, 1);
  }

  /** log p(cluster | h), clusters×m. */
  #clusterLogProbabilities(hidden: Matrix, out: Matrix): void {
    const { clusters } = this.#layout;
    const rows = this.#matrix('cluster rows', clusters, this.#clusterTable.width);
    this.#clusterTable.gather(this.#clusterTable.range(0, clusters, 'score cluster range'), rows);
    gemm(rows, hidden, out, { transposeB: true });
    const exponentials = this.#matrix('exponentials', clusters, hidden.rows);
    gemm(rows, hidden, exponentials, { transposeB: true });
    binary('subtract', out, this.#logSumExp(exponentials), out);
  }

  #subtractLogPartition(hidden: Matrix, cluster: number, offsets: Matrix): void {
    const first = this.#layout.firstRow[cluster]!;
    const count = this.#layout.firstRow[cluster + 1]! - first;
    const rows = this.#matrix('cluster rows', count, this.#table.width);
    this.#table.gather(this.#table.range(first, count, 'score cluster range'), rows);
    const logits = this.#matrix('exponentials', count, hidden.rows);
    gemm(rows, hidden, logits, { transposeB: true });
    const logPartition = this.#logSumExp(logits);
    const place = this.#workspace.indices('score cluster', Int32Array.of(cluster));
    const offset = this.#matrix('offset', 1, hidden.rows);
    gatherRows(offsets, place, offset);
    binary('subtract', offset, logPartition, offset);
    scatterRows(offset, place, offsets);
  }

  /** log Σ exp of each column, 1×m; the matrix is overwritten. */
  #logSumExp(logits: Matrix): Matrix {
    const maximum = this.#matrix('maximum', 1, logits.columns);
    const result = this.#matrix('log partition', 1, logits.columns);
    reduce('maximum', logits, maximum);
    binary('subtract', logits, maximum, logits);
    unary('exp', logits, logits);
    reduce('sum', logits, result);
    unary('log', result, result);
    binary('add', result, maximum, result);
    return result;
  }

  #matrix(name: string, rows: number, columns: number): Matrix {
    return this.#workspace.matrix(`score ${name}`, rows, columns);
  }
}
