/** A matrix and a table with their updaters, fed with gradients of one's own choice. */
import {
  createMatrixFrom,
  Scope,
  Workspace,
  writeIndices,
  writeRows,
  type Backend,
  type Matrix,
  type RowTable,
} from '@vastmax/linalg-core';
import { createUpdateRule, MatrixUpdater, TableUpdater, type RowGradient } from '@vastmax/update-rules';
import { normals } from './numbers.ts';

export interface TableTouch {
  readonly indices: readonly number[];
  readonly rows: Float64Array;
}

export class Updaters implements Disposable {
  readonly matrix: Matrix;
  readonly table: RowTable;
  readonly matrixUpdater: MatrixUpdater;
  readonly tableUpdater: TableUpdater;
  readonly #backend: Backend;
  readonly #workspace: Workspace;

  constructor(backend: Backend, rule: string, matrixValues: Float64Array, tableValues: Float64Array, columns: number) {
    this.#backend = backend;
    this.#workspace = new Workspace(backend);
    this.matrix = createMatrixFrom(backend, matrixValues.length / columns, columns, matrixValues);
    this.table = backend.createTable(tableValues.length / columns, columns);
    writeRows(tableValues, 0, this.table);
    this.matrixUpdater = new MatrixUpdater('matrix', this.matrix, createUpdateRule(rule), this.#workspace);
    this.tableUpdater = new TableUpdater('table', this.table, createUpdateRule(rule), this.#workspace);
  }

  stepMatrix(gradient: Float64Array, rate: number, step: number): void {
    using handle = createMatrixFrom(this.#backend, this.matrix.rows, this.matrix.columns, gradient);
    this.matrixUpdater.apply(handle, rate, step);
  }

  stepTable(touches: readonly TableTouch[], rate: number, step: number): void {
    using scope = new Scope(this.#backend);
    this.tableUpdater.apply(
      touches.map((touch) => this.#placed(scope, touch)),
      rate,
      step,
    );
  }

  stepDistinct(touch: TableTouch, rate: number, step: number): void {
    using scope = new Scope(this.#backend);
    const { indices, rows } = this.#placed(scope, touch);
    this.tableUpdater.applyDistinct(indices, rows, rate, step);
  }

  #placed(scope: Scope, { indices, rows }: TableTouch): RowGradient {
    const list = scope.indices(indices.length);
    writeIndices(Int32Array.from(indices), list);
    const gradient = scope.own(createMatrixFrom(this.#backend, indices.length, this.table.columns, rows));
    return { indices: list, rows: gradient };
  }

  [Symbol.dispose](): void {
    for (const owned of [this.matrixUpdater, this.tableUpdater, this.matrix, this.table, this.#workspace])
      owned[Symbol.dispose]();
  }
}

/** Two gradients of a step: rows repeated within one and across both. */
export function repeatedTouches(step: number, rows: number, columns: number): TableTouch[] {
  const a = step % rows;
  const b = (3 * step + 1) % rows;
  const lists = [
    [a, b, a, (a + 2) % rows],
    [b, a],
  ];
  return lists.map((indices, gather) => ({ indices, rows: normals(indices.length * columns, 1000 * step + gather) }));
}
