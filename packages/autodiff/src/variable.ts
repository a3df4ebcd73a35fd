import type { Indices, Matrix, RowTable } from '@vastmax/linalg-core';
import { AutodiffError } from './errors.ts';
import type { GradientSlot } from './gradient-slot.ts';
import type { Backward, Tape } from './tape.ts';

/** What the tape knows of a variable. */
export interface VariableState {
  readonly value: Matrix;
  readonly requiresGradient: boolean;
  /** Which step of the tape it belongs to. */
  readonly step: number;
  /** Position among the recorded operations; -1 for leaves and constants. */
  readonly position: number;
  /** undefined for leaves and constants. */
  readonly backward: Backward | undefined;
  /** Sum over the backward calls of this step. */
  readonly total: GradientSlot;
  /** Sum within the backward call under way; leaves need none. */
  readonly pending: GradientSlot;
}

/** For the tape alone; not exported from the package. */
export let stateOf: (variable: Variable) => VariableState;
/** For `gatherTable` alone; not exported from the package. */
export let noteGather: (table: TableVariable, indices: Indices, output: Variable) => void;

/** For `gatherTable` alone; throws `stale-variable`. Not exported from the package. */
export let checkTable: (operation: string, table: TableVariable) => void;

/**
 * A matrix on a tape, m×n, for one step: after `tape.reset()` any use throws `stale-variable`. Made by a tape or an
 * operation.
 */
export class Variable {
  readonly tape: Tape;
  readonly rows: number;
  readonly columns: number;
  /** False for constants and whatever was computed from constants only. */
  readonly requiresGradient: boolean;
  readonly #state: VariableState;

  static {
    stateOf = (variable) => variable.#state;
  }

  constructor(tape: Tape, state: VariableState) {
    this.tape = tape;
    this.rows = state.value.rows;
    this.columns = state.value.columns;
    this.requiresGradient = state.requiresGradient;
    this.#state = state;
  }

  /** m×n. An intermediate's belongs to the tape and is reused after `reset()`; a leaf's is the caller's. */
  get value(): Matrix {
    checkCurrent('value', this.tape, this.#state.step);
    return this.#state.value;
  }

  /**
   * m×n, the sum over the backward calls of this step; undefined before, and when no output depended on this variable.
   * It belongs to the tape, until `reset()`. A leaf's gradient is its own and may be changed in place (clipping); an
   * intermediate's may be shared with another intermediate: read it only.
   */
  get gradient(): Matrix | undefined {
    checkCurrent('gradient', this.tape, this.#state.step);
    return this.#state.total.matrix;
  }
}

/**
 * The gradient of one gather: row i belongs to table row indices_i. Indices may repeat; `scatterAddRows` adds the
 * repetitions up.
 */
export interface TableGradient {
  /** The caller's, as they were given to `gatherTable`. */
  readonly indices: Indices;
  /** indices.count × table.columns, owned by the tape until `reset()`. */
  readonly rows: Matrix;
}

/** A table of D rows on a tape, for one step. Its gradient is row-sparse: nothing with D rows is ever made. */
export class TableVariable {
  readonly tape: Tape;
  readonly table: RowTable;
  readonly #step: number;
  readonly #gathers: { readonly indices: Indices; readonly output: Variable }[] = [];

  static {
    checkTable = (operation, table) => {
      checkCurrent(operation, table.tape, table.#step);
    };
    noteGather = (table, indices, output) => {
      table.#gathers.push({ indices, output });
    };
  }

  constructor(tape: Tape, table: RowTable, step: number) {
    this.tape = tape;
    this.table = table;
    this.#step = step;
  }

  /** One entry for each gather of this step that a backward call reached, in the order of the gathers. */
  get gradients(): readonly TableGradient[] {
    checkCurrent('gradients', this.tape, this.#step);
    const reached: TableGradient[] = [];
    for (const { indices, output } of this.#gathers) {
      const rows = output.gradient;
      if (rows !== undefined) reached.push({ indices, rows });
    }
    return reached;
  }
}

export function checkCurrent(operation: string, tape: Tape, step: number): void {
  if (step === tape.step) return;
  throw new AutodiffError(
    'stale-variable',
    tape.disposed
      ? `${operation}: the tape of this variable was disposed`
      : `${operation}: the variable belongs to step ${step}, its tape is at step ${tape.step} since reset(); make a new one in this step`,
  );
}
