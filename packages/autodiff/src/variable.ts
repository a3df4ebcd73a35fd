/**
 * What lives on a tape for one step, and how gradients add up: variables, table variables, and the slots in which their
 * gradients are summed. Operations see a tape as a Recorder.
 */
import {
  affine,
  axpy,
  copy,
  describeShape,
  type Backend,
  type Indices,
  type Matrix,
  type RowTable,
} from '@vastmax/linalg-core';
import { AutodiffError } from './errors.ts';

/** The part of a tape that operations use. */
export interface Recorder {
  readonly backend: Backend;
  /** How many steps were ended by `reset()`. */
  readonly step: number;
  readonly disposed: boolean;
  /**
   * A matrix for an intermediate, owned by the tape until `reset()`. Its content is undefined: write before
   * you read.
   */
  allocate(rows: number, columns: number): Matrix;
  /** A value without gradient. It stays the caller's and must not change before the step's last backward call. */
  constant(value: Matrix): Variable;
  /** A leaf: a parameter or an input whose gradient is wanted. The value stays the caller's, as for a constant. */
  variable(value: Matrix): Variable;
  /**
   * Records an operation whose value has been computed (into a matrix from `allocate`). `backward` is kept until
   * `reset()` and only if an input requires a gradient; let it capture variables and matrices of the tape, not host
   * arrays.
   *
   *     const out = tape.allocate(x.rows, x.columns);
   *     unary('exp', x.value, out);
   *     return tape.record(out, [x], (gradient, sink) => {
   *       const contribution = tape.allocate(x.rows, x.columns);
   *       binary('multiply', gradient, out, contribution);
   *       sink.add(x, contribution);
   *     });
   *
   * @throws AutodiffError `tape-mismatch`, `stale-variable`.
   */
  record(value: Matrix, inputs: readonly Variable[], backward: Backward): Variable;
}

/**
 * Receives the gradients of a recorded operation. Skip the work for inputs whose `requiresGradient` is false; `add` and
 * `passThrough` ignore them.
 */
export interface GradientSink {
  /** Adds a matrix of the input's shape from `tape.allocate`, and takes ownership of it: do not use it again. */
  add(input: Variable, contribution: Matrix): void;
  /** Adds factor (1 unless given) × the output's gradient; the shapes are the same. Factor 1 usually costs nothing. */
  passThrough(input: Variable, factor?: number): void;
  /**
   * The matrix in which the input's gradient accumulates, for kernels that compute out = contribution + beta·out. With
   * beta 0 its content is undefined and must be overwritten.
   * @throws AutodiffError `bad-option` for an input that requires no gradient.
   */
  target(input: Variable): { readonly out: Matrix; readonly beta: 0 | 1 };
}

/**
 * @param gradient that of the output, of its shape; read only. Called once in each backward call that reaches the
 * output.
 */
export type Backward = (gradient: Matrix, sink: GradientSink) => void;

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
  /** Sum within the current backward call; leaves need none. */
  readonly pending: GradientSlot;
}

/** For the tape alone; not exported from the package. */
export let stateOf: (variable: Variable) => VariableState;
/** For operations on tables alone; not exported from the package. `gradient` is called when gradients are read. */
export let noteGradient: (table: TableVariable, gradient: () => TableGradient | undefined) => void;

/** For operations on tables alone; throws `stale-variable`. Not exported from the package. */
export let checkTable: (operation: string, table: TableVariable) => void;

/**
 * A matrix on a tape, m×n, for one step: after `tape.reset()` any use throws `stale-variable`. Made by a tape or an
 * operation.
 */
export class Variable {
  readonly tape: Recorder;
  readonly rows: number;
  readonly columns: number;
  /** False for constants and whatever was computed from constants only. */
  readonly requiresGradient: boolean;
  readonly #state: VariableState;

  static {
    stateOf = (variable) => variable.#state;
  }

  constructor(tape: Recorder, state: VariableState) {
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
  /** The caller's, as they were given to the operation. */
  readonly indices: Indices;
  /** indices.count × table.columns, owned by the tape until `reset()`; it may be changed in place (clipping). */
  readonly rows: Matrix;
  /**
   * out[places_i] += scale·rows_i, as scatterAddRows does with `rows`, of which it needs no copy. Left out where the rows
   * are there anyway.
   */
  addTo?(places: Indices, out: Matrix | RowTable, scale: number): void;
}

/** A table of D rows on a tape, for one step. Its gradient is row-sparse: nothing with D rows is ever made. */
export class TableVariable {
  readonly tape: Recorder;
  readonly table: RowTable;
  readonly #step: number;
  readonly #gradients: (() => TableGradient | undefined)[] = [];

  static {
    checkTable = (operation, table) => {
      checkCurrent(operation, table.tape, table.#step);
    };
    noteGradient = (table, gradient) => {
      table.#gradients.push(gradient);
    };
  }

  constructor(tape: Recorder, table: RowTable, step: number) {
    this.tape = tape;
    this.table = table;
    this.#step = step;
  }

  /** One entry for each gather of this step that a backward call reached, in the order of the gathers. */
  get gradients(): readonly TableGradient[] {
    checkCurrent('gradients', this.tape, this.#step);
    const reached: TableGradient[] = [];
    for (const gradientOf of this.#gradients) {
      const gradient = gradientOf();
      if (gradient !== undefined) reached.push(gradient);
    }
    return reached;
  }
}

export function checkCurrent(operation: string, tape: Recorder, step: number): void {
  if (step === tape.step) return;
  throw new AutodiffError(
    'stale-variable',
    tape.disposed
      ? `${operation}: the tape of this variable was disposed`
      : `${operation}: the variable belongs to step ${step}, its tape is at step ${tape.step} since reset(); make a new one in this step`,
  );
}

/**
 * The tape that all variables of an operation live on. Operations begin with it, so that a mistake is named before
 * anything is computed.
 * @throws AutodiffError `tape-mismatch`, `stale-variable`.
 */
export function commonTape(operation: string, first: Variable, ...others: readonly Variable[]): Recorder {
  const { tape } = first;
  checkCurrent(operation, tape, stateOf(first).step);
  for (const other of others) {
    if (other.tape !== tape) {
      throw new AutodiffError(
        'tape-mismatch',
        `${operation}: the operands (${describeShape(first)} and ${describeShape(other)}) live on two tapes; make both on the same one`,
      );
    }
    checkCurrent(operation, tape, stateOf(other).step);
  }
  return tape;
}

/**
 * A sum of gradient contributions that copies as little as it can. `add` and `subtract` send the same matrix to two
 * inputs: both slots share it, and a slot that must add to a shared matrix copies it first (copy on write).
 */
export interface GradientSlot {
  /** undefined: no contribution yet. */
  matrix: Matrix | undefined;
  /** Another slot may hold the same matrix: it may be read but not written. */
  shared: boolean;
}

/** Gets a matrix from the tape. */
export type Allocate = (rows: number, columns: number) => Matrix;

export function createGradientSlot(): GradientSlot {
  return { matrix: undefined, shared: false };
}

/** slot += contribution; takes ownership of the contribution. */
export function addOwned(slot: GradientSlot, contribution: Matrix): void {
  const { matrix } = slot;
  if (matrix !== undefined && !slot.shared) {
    axpy(1, contribution, matrix);
    return;
  }
  if (matrix !== undefined) axpy(1, matrix, contribution);
  slot.matrix = contribution;
  slot.shared = false;
}

/** slot += factor·source; source is unchanged. With `share` a first contribution of factor 1 is shared, not copied. */
export function addFrom(
  slot: GradientSlot,
  source: GradientSlot,
  factor: number,
  share: boolean,
  allocate: Allocate,
): void {
  const { matrix } = slot;
  if (source.matrix === undefined) return;
  if (matrix !== undefined && !slot.shared) {
    axpy(factor, source.matrix, matrix);
    return;
  }
  if (matrix === undefined && share && factor === 1) {
    slot.matrix = source.matrix;
    slot.shared = true;
    source.shared = true;
    return;
  }
  const own = allocate(source.matrix.rows, source.matrix.columns);
  if (factor === 1) copy(source.matrix, own);
  else affine(source.matrix, factor, 0, own);
  if (matrix !== undefined) axpy(1, matrix, own);
  slot.matrix = own;
  slot.shared = false;
}

/** total += finished, and empties `finished`; its matrix is moved where that is possible. */
export function moveInto(total: GradientSlot, finished: GradientSlot, allocate: Allocate): void {
  if (total.matrix === undefined) {
    total.matrix = finished.matrix;
    total.shared = finished.shared;
  } else if (finished.matrix !== undefined && !finished.shared) {
    addOwned(total, finished.matrix);
  } else {
    addFrom(total, finished, 1, false, allocate);
  }
  finished.matrix = undefined;
  finished.shared = false;
}

/** The slot's own matrix, for a kernel that accumulates; `beta` 0 means that it holds no sum yet. */
export function writableSum(
  slot: GradientSlot,
  rows: number,
  columns: number,
  allocate: Allocate,
): { out: Matrix; beta: 0 | 1 } {
  const { matrix } = slot;
  if (matrix !== undefined && !slot.shared) return { out: matrix, beta: 1 };
  const own = allocate(rows, columns);
  if (matrix !== undefined) copy(matrix, own);
  slot.matrix = own;
  slot.shared = false;
  return { out: own, beta: matrix === undefined ? 0 : 1 };
}
