/**
 * The rows of a table in blocks of consecutive ones, as operands of products. A block is used in place where the backend
 * can (viewRows of linalg-core): then its rows are read by the products where they lie, and plain SGD is a product that
 * adds to them. Elsewhere, and for a block over two pieces of a table, the rows are gathered and changes scattered.
 */
import { gemm, viewRows, type Matrix, type Workspace } from '@vastmax/linalg-core';
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
    const count = this.rowsIn(block);
    const rows = this.#workspace.matrix(`${name} block rows`, count, width);
    this.table.gather(this.table.range(this.firstOf(block), count, `${name} block range`), rows);
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
    const { name, width } = this.table;
    const count = this.rowsIn(block);
    const gradient = this.#workspace.matrix(`${name} block gradient`, count, width);
    gemm(factors, hidden, gradient, { transposeA: true });
    const range = this.table.range(this.firstOf(block), count, `${name} block range`);
    this.table.updateDistinct(range, gradient, learningRate, step);
  }

  [Symbol.dispose](): void {
    for (const view of this.#views) view?.[Symbol.dispose]();
  }
}
