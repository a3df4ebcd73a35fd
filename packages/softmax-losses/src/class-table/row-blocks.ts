/**
 * The rows of a table in blocks of consecutive ones, as operands of products. A block is used in place where the backend
 * can (viewRows of linalg-core): then its rows are read by the products where they lie, and plain SGD is a product that
 * adds to them. Elsewhere, and for a block over two pieces of a table, the rows are gathered and changes scattered.
 */
import { gemm, scatterRows, viewRows, type Indices, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { ClassTable } from './class-table.ts';

export class RowBlocks implements Disposable {
  readonly table: ClassTable;
  /** Rows of a block; the last has what is left. */
  readonly blockRows: number;
  readonly count: number;
  readonly #workspace: Workspace;
  /** Of each block; undefined for those that are gathered. */
  readonly #views: (Matrix | undefined)[];

  /** @param workspace for scratch, under names that begin with that of the table. */
  constructor(table: ClassTable, blockRows: number, workspace: Workspace) {
    this.table = table;
    this.blockRows = Math.min(blockRows, table.rows);
    this.count = Math.ceil(table.rows / this.blockRows);
    this.#workspace = workspace;
    this.#views = Array.from({ length: this.count }, (_, block) =>
      viewRows(table.table, this.firstOf(block), this.rowsIn(block)),
    );
  }

  firstOf(block: number): number {
    return block * this.blockRows;
  }

  rowsIn(block: number): number {
    return Math.min(this.blockRows, this.table.rows - this.firstOf(block));
  }

  /** The rows of a block, count×width; to be read only, valid until the next call of this or another method. */
  read(block: number): Matrix {
    const view = this.#views[block];
    if (view !== undefined) return view;
    const { name, width } = this.table;
    const rows = this.#workspace.matrix(`${name} block rows`, this.rowsIn(block), width);
    this.table.gather(this.#range(block), rows);
    return rows;
  }

  /**
   * Changes the rows of a block by the rule of the table with the gradient factorsᵀ·hidden. O(m·count·width).
   * @param factors m×count. @param hidden m×width. @param step from 1.
   */
  update(block: number, factors: Matrix, hidden: Matrix, learningRate: number, step: number): void {
    const view = this.#views[block];
    if (view !== undefined && this.table.rule.slots === 0) {
      gemm(factors, hidden, view, { transposeA: true, alpha: -learningRate, beta: 1 });
      return;
    }
    const gradient = this.#gradient(block, factors, hidden);
    this.table.updateDistinct(this.#range(block), gradient, learningRate, step);
  }

  /** Stores the gradient factorsᵀ·hidden of a block in its rows of `out`, which has a row for each of the table. */
  storeGradient(block: number, factors: Matrix, hidden: Matrix, out: Matrix): void {
    if (this.count === 1) gemm(factors, hidden, out, { transposeA: true });
    else scatterRows(this.#gradient(block, factors, hidden), this.#range(block), out);
  }

  #gradient(block: number, factors: Matrix, hidden: Matrix): Matrix {
    const { name, width } = this.table;
    const gradient = this.#workspace.matrix(`${name} block gradient`, this.rowsIn(block), width);
    gemm(factors, hidden, gradient, { transposeA: true });
    return gradient;
  }

  #range(block: number): Indices {
    return this.table.range(this.firstOf(block), this.rowsIn(block), `${this.table.name} block range`);
  }

  [Symbol.dispose](): void {
    for (const view of this.#views) view?.[Symbol.dispose]();
  }
}
