import type { Matrix, RowTable } from '@vastmax/linalg-core';
import type { TableGradient, TableVariable, Tape, Variable } from '@vastmax/autodiff';

/**
 * A matrix that training changes. A model puts it on the step's tape with `use`; the optimiser then finds its gradient
 * here.
 */
export class Parameter implements Disposable {
  readonly name: string;
  readonly value: Matrix;
  #variable: Variable | undefined;

  constructor(name: string, value: Matrix) {
    this.name = name;
    this.value = value;
  }

  use(tape: Tape): Variable {
    this.#variable = tape.variable(this.value);
    return this.#variable;
  }

  /** Of the current step; undefined when the step's output did not depend on it. */
  get gradient(): Matrix | undefined {
    return this.#variable?.gradient;
  }

  [Symbol.dispose](): void {
    this.value[Symbol.dispose]();
  }
}

/** A table of which a step reads and changes a few rows: embeddings. Its gradients are row-sparse. */
export class TableParameter implements Disposable {
  readonly name: string;
  readonly table: RowTable;
  #variable: TableVariable | undefined;
  #replacement: readonly TableGradient[] | undefined;

  constructor(name: string, table: RowTable) {
    this.name = name;
    this.table = table;
  }

  use(tape: Tape): TableVariable {
    this.#variable = tape.table(this.table);
    this.#replacement = undefined;
    return this.#variable;
  }

  get gradients(): readonly TableGradient[] {
    return this.#replacement ?? this.#variable?.gradients ?? [];
  }

  /**
   * For the current step: what the optimiser shall apply instead of this process's own gradients, such as those of all
   * ranks of a job.
   */
  replaceGradients(gradients: readonly TableGradient[]): void {
    this.#replacement = gradients;
  }

  [Symbol.dispose](): void {
    this.table[Symbol.dispose]();
  }
}

/** Everything of a model that an optimiser changes. */
export interface ModelParameters {
  readonly matrices: readonly Parameter[];
  readonly tables: readonly TableParameter[];
}
