import type { Communicator } from '@vastmax/collectives';
import { copyColumns, gemm, type Indices, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { ClassTable, RowSource, ScoredRows } from '@vastmax/softmax-losses/layer-parts';
import { writeOwnRows } from '../factored/own-rows.ts';
import type { RowPartition } from '../rows/row-partition.ts';
import { ClassRows } from '../softmax/class-rows.ts';

/** Rows per product: what a rank gathers of the others' rows at a time. */
const scoredRows = 16_384;

/** A table whose rows are on several ranks, groups of them together. Its methods are collectives with several ranks. */
export class DistributedTable implements ScoredRows, RowSource, Disposable {
  readonly own: ClassTable;
  readonly partition: RowPartition;
  readonly #communicator: Communicator;
  readonly #workspace: Workspace;
  readonly #all: ClassRows;

  /** Owns the table from now on. @param own this rank's rows. */
  constructor(communicator: Communicator, partition: RowPartition, own: ClassTable, workspace: Workspace) {
    this.own = own;
    this.partition = partition;
    this.#communicator = communicator;
    this.#workspace = workspace;
    this.#all = new ClassRows(communicator, partition, own.table, workspace);
  }

  /** Of all ranks. */
  get rows(): number {
    return this.partition.rows;
  }

  get width(): number {
    return this.own.width;
  }

  /** This rank's rows of a start of all rows, which are asked for one by one. */
  fill(rowsOfAll: (first: number, count: number) => Float64Array): void {
    writeOwnRows(this.own.table, this.partition, this.#communicator.rank, (row) => rowsOfAll(row, 1));
  }

  range(first: number, count: number, list: string): ReturnType<ClassTable['range']> {
    return this.own.range(first, count, list);
  }

  /** The same rows on all ranks; moves count·width numbers. */
  rangeScores(hidden: Matrix, first: number, out: Matrix): void {
    if (this.partition.size === 1) {
      this.own.rangeScores(hidden, first, out);
      return;
    }
    for (let at = 0; at < out.columns; at += scoredRows) {
      const count = Math.min(scoredRows, out.columns - at);
      const rows = this.#workspace.matrix(`${this.own.name} scored rows`, count, this.width);
      this.#all.range(first + at, rows);
      const part =
        count === out.columns ? out : this.#workspace.matrix(`${this.own.name} score part`, hidden.rows, count);
      gemm(hidden, rows, part, { transposeB: true });
      if (part !== out) copyColumns(part, 0, out, at, count);
    }
  }

  gather(indices: Indices, out: Matrix): void {
    if (this.partition.size === 1) this.own.gather(indices, out);
    else this.#all.gather(indices.values.subarray(0, indices.count), out);
  }

  [Symbol.dispose](): void {
    this.own[Symbol.dispose]();
  }
}
