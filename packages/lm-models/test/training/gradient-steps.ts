/**
 * An optimiser fed with gradients of one's own choice: a matrix and a table on a tape, each seeded with what its
 * gradient shall be.
 */
import { gatherTable, Tape } from '@vastmax/autodiff';
import { createMatrixFrom, writeIndices, writeRows, type Backend } from '@vastmax/linalg-core';
import { createUpdateRule, Optimizer, Parameter, TableParameter, type OptimizerOptions } from '@vastmax/lm-models';
import { normals } from '../numbers.ts';

export interface TableTouch {
  readonly indices: readonly number[];
  readonly rows: Float64Array;
}

export class GradientSteps implements Disposable {
  readonly matrix: Parameter;
  readonly table: TableParameter;
  readonly optimizer: Optimizer;
  readonly #backend: Backend;
  readonly #tape: Tape;

  constructor(
    backend: Backend,
    rule: string,
    matrixValues: Float64Array,
    tableValues: Float64Array,
    columns: number,
    options: OptimizerOptions = {},
  ) {
    this.#backend = backend;
    this.matrix = new Parameter(
      'matrix',
      createMatrixFrom(backend, matrixValues.length / columns, columns, matrixValues),
    );
    this.table = new TableParameter('table', backend.createTable(tableValues.length / columns, columns));
    writeRows(tableValues, 0, this.table.table);
    this.optimizer = new Optimizer(
      backend,
      { matrices: [this.matrix], tables: [this.table] },
      createUpdateRule(rule),
      options,
    );
    this.#tape = new Tape(backend);
  }

  /** One step with these gradients; none for the matrix when it is left out. */
  step(rate: number, touches: readonly TableTouch[], matrixGradient?: Float64Array): void {
    const tape = this.#tape;
    const columns = this.table.table.columns;
    const variable = this.matrix.use(tape);
    const table = this.table.use(tape);
    const handles: Disposable[] = [];
    if (matrixGradient !== undefined) {
      const seed = createMatrixFrom(this.#backend, variable.rows, variable.columns, matrixGradient);
      handles.push(seed);
      tape.backward(variable, seed);
    }
    for (const { indices, rows } of touches) {
      const list = this.#backend.createIndices(indices.length);
      writeIndices(Int32Array.from(indices), list);
      const seed = createMatrixFrom(this.#backend, indices.length, columns, rows);
      handles.push(list, seed);
      tape.backward(gatherTable(table, list), seed);
    }
    this.optimizer.step(rate);
    tape.reset();
    for (const handle of handles) handle[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    for (const owned of [this.#tape, this.optimizer, this.matrix, this.table]) owned[Symbol.dispose]();
  }
}

/** Two gathers of a step: rows repeated within one and across both. */
export function repeatedTouches(step: number, rows: number, columns: number): TableTouch[] {
  const a = step % rows;
  const b = (3 * step + 1) % rows;
  const lists = [
    [a, b, a, (a + 2) % rows],
    [b, a],
  ];
  return lists.map((indices, gather) => ({ indices, rows: normals(indices.length * columns, 1000 * step + gather) }));
}
