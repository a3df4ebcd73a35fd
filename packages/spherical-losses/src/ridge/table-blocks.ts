/**
 * Rows of a table in blocks of consecutive ones, read and written in place where the backend can (viewRows of
 * linalg-core), and gathered and scattered elsewhere.
 */
import {
  copy,
  gatherRows,
  scatterRows,
  viewRows,
  type Indices,
  type Matrix,
  type RowTable,
  type Workspace,
} from '@vastmax/linalg-core';

/** Rows of a block: enough for a product to run at full speed. */
export const rowsPerBlock = 4096;

export class TableBlocks {
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  each(table: RowTable, use: (block: Matrix, first: number) => void): void {
    for (let first = 0; first < table.rows; first += rowsPerBlock)
      this.use(table, first, (block) => {
        use(block, first);
      });
  }

  /** @param use calls its kernels before it waits for anything: the block is then disposed or used again. */
  use<Result>(table: RowTable, first: number, use: (block: Matrix) => Result): Result {
    const count = Math.min(rowsPerBlock, table.rows - first);
    const view = viewRows(table, first, count);
    if (view !== undefined) {
      try {
        return use(view);
      } finally {
        view[Symbol.dispose]();
      }
    }
    const block = this.#workspace.matrix('block', count, table.columns);
    gatherRows(table, this.range(first, count), block);
    return use(block);
  }

  /** Rows `first` … of the table become what `fill` writes. */
  write(table: RowTable, first: number, count: number, fill: (rows: Matrix) => void): void {
    using view = viewRows(table, first, count);
    const rows = view ?? this.#workspace.matrix('written rows', count, table.columns);
    fill(rows);
    if (view === undefined) scatterRows(rows, this.range(first, count), table);
  }

  /** Rows `first` … of the table become those of a matrix. */
  put(rows: Matrix, first: number, table: RowTable): void {
    using view = viewRows(table, first, rows.rows);
    if (view !== undefined) copy(rows, view);
    else scatterRows(rows, this.range(first, rows.rows), table);
  }

  /** The numbers of consecutive rows; valid until the next call. */
  range(first: number, count: number): Indices {
    const numbers = Int32Array.from({ length: count }, (_, i) => first + i);
    return this.#workspace.indices('rows of a block', numbers);
  }
}
