/**
 * The gradient of rows of a table that is a factor times a row of a small matrix for each: of a node or class, its slope
 * times the hidden activations of the example. It is added where it belongs without being made, wherever the backend
 * has `sparseTimesRows`.
 */
import {
  gatherRows,
  scaleRows,
  sparseTimesRows,
  type Indices,
  type Matrix,
  type RowTable,
  type Workspace,
} from '@vastmax/linalg-core';
import type { RowGradient } from '@vastmax/update-rules';

export class ScaledRowGradient implements RowGradient {
  readonly indices: Indices;
  readonly #source: Matrix;
  readonly #sourceIndices: Indices;
  readonly #factors: Matrix;
  readonly #workspace: Workspace;
  readonly #name: string;

  /**
   * Row i, for row indices_i of the table, is factors_i·source[sourceIndices_i].
   * @param name of scratch in the workspace.
   */
  constructor(
    indices: Indices,
    source: Matrix,
    sourceIndices: Indices,
    factors: Matrix,
    { workspace, name }: { readonly workspace: Workspace; readonly name: string },
  ) {
    this.indices = indices;
    this.#source = source;
    this.#sourceIndices = sourceIndices;
    this.#factors = factors;
    this.#workspace = workspace;
    this.#name = name;
  }

  get rows(): Matrix {
    const rows = this.#allocate(this.indices.count, this.#source.columns);
    gatherRows(this.#source, this.#sourceIndices, rows);
    scaleRows(rows, this.#factors, rows);
    return rows;
  }

  addTo(places: Indices, out: Matrix | RowTable, scale: number): void {
    const entries = { rowIndices: places, columnIndices: this.#sourceIndices, values: this.#factors };
    sparseTimesRows(entries, this.#source, out, this.#allocate, { scale });
  }

  readonly #allocate = (rows: number, columns: number): Matrix => this.#workspace.matrix(this.#name, rows, columns);
}
