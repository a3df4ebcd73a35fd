/** Updaters apply an update rule to weights and own the moments of the rule: one class for matrices, one for tables. */
import {
  fill,
  gatherRows,
  growTable,
  scatterAddRows,
  scatterRows,
  updateRows,
  type Indices,
  type Matrix,
  type RowTable,
  type Workspace,
} from '@vastmax/linalg-core';
import {
  findTensor,
  matrixTensor,
  restoreMatrix,
  restoreTable,
  tableTensor,
  type ModuleState,
  type TensorSource,
} from '@vastmax/linalg-core/state';
import { DistinctIndices } from '@vastmax/sparse-data';
import type { UpdateRule } from './update-rules.ts';

/** Applies a rule to one matrix of weights and owns the moments of the rule. The caller owns the matrix. */
export class MatrixUpdater implements Disposable {
  /** Prefix of its tensors' names: `name.0`, `name.1`. */
  readonly name: string;
  readonly value: Matrix;
  readonly #rule: UpdateRule;
  readonly #workspace: Workspace;
  readonly #moments: readonly Matrix[];

  /** @param workspace for scratch, under names that begin with `name`. */
  constructor(name: string, value: Matrix, rule: UpdateRule, workspace: Workspace) {
    this.name = name;
    this.value = value;
    this.#rule = rule;
    this.#workspace = workspace;
    this.#moments = Array.from({ length: rule.slots }, () => value.backend.createMatrix(value.rows, value.columns));
  }

  /**
   * Changes the matrix. O(rows·columns).
   * @param gradient of the matrix's shape; may be overwritten.
   * @param step of the whole training, from 1.
   */
  apply(gradient: Matrix, learningRate: number, step: number): void {
    const { rows, columns } = this.value;
    const scratch = this.#workspace.matrix(`${this.name} scratch`, rows, columns);
    this.#rule.apply(this.value, gradient, this.#moments, scratch, learningRate, step);
  }

  /** The moments, for a checkpoint. The owner of the weights saves the weights. */
  tensors(): TensorSource[] {
    return this.#moments.map((moment, index) => matrixTensor(`${this.name}.${index}`, moment));
  }

  /**
   * @throws StateError `state-mismatch` if a moment is missing in the state or has another shape; nothing is
   * changed.
   */
  checkState(state: ModuleState): void {
    for (const { name, rows, columns } of this.tensors()) findTensor(state, name, rows, columns);
  }

  /** Restores the moments. @throws StateError `state-mismatch`. */
  async restore(state: ModuleState): Promise<void> {
    this.checkState(state);
    for (const [index, moment] of this.#moments.entries()) await restoreMatrix(state, `${this.name}.${index}`, moment);
  }

  [Symbol.dispose](): void {
    for (const moment of this.#moments) moment[Symbol.dispose]();
  }
}

/** A row-sparse gradient: `rows` is count×columns, one row for each index. */
export interface RowGradient {
  readonly indices: Indices;
  readonly rows: Matrix;
  /** out[places_i] += scale·rows_i, where that needs no `rows`. */
  addTo?(places: Indices, out: Matrix | RowTable, scale: number): void;
}

function addGradient(gradient: RowGradient, places: Indices, out: Matrix | RowTable, scale: number): void {
  if (gradient.addTo === undefined) scatterAddRows(gradient.rows, places, out, { scale });
  else gradient.addTo(places, out, scale);
}

/**
 * Applies a rule to the few rows of a table that a step touches. Plain SGD is one scatter, which also adds repeated
 * rows. A rule with moments needs each touched row once: repeated rows are first summed (DistinctIndices), then
 * `updateRows` changes the rows and their moments in place. Rows that are not touched keep their moments unchanged
 * ("lazy" momentum and Adam). O(touched rows), never O(table rows), and nothing is allocated after warm-up.
 */
export class TableUpdater implements Disposable {
  /** Prefix of its tensors' names: `name.0`, `name.1`. */
  readonly name: string;
  readonly table: RowTable;
  readonly #rule: UpdateRule;
  readonly #workspace: Workspace;
  readonly #moments: readonly RowTable[];
  readonly #gathered: Matrix[] = [];
  readonly #distinct = new DistinctIndices();
  #rowSlots: Int32Array = new Int32Array(0);

  /** @param workspace for scratch, under names that begin with `name`. */
  constructor(name: string, table: RowTable, rule: UpdateRule, workspace: Workspace) {
    this.name = name;
    this.table = table;
    this.#rule = rule;
    this.#workspace = workspace;
    this.#moments = Array.from({ length: rule.slots }, () => table.backend.createTable(table.rows, table.columns));
  }

  /**
   * Changes the touched rows; repeated rows, within one gradient and across gradients, add up. O(touched rows ·
   * columns).
   * @param step of the whole training, from 1.
   */
  apply(gradients: readonly RowGradient[], learningRate: number, step: number): void {
    if (this.#rule.slots === 0) {
      for (const each of gradients) addGradient(each, each.indices, this.table, -learningRate);
      return;
    }
    let count = 0;
    for (const { indices } of gradients) count += indices.count;
    if (count === 0) return;
    this.#numberRows(gradients, count);
    const touched = this.#distinct.count;
    const gradient = this.#matrix('gradient', touched);
    fill(0, gradient);
    let position = 0;
    for (const each of gradients) {
      const { count: rows } = each.indices;
      const places = this.#rowSlots.subarray(position, position + rows);
      addGradient(each, this.#workspace.indices(`${this.name} gradient places`, places), gradient, 1);
      position += rows;
    }
    this.applyDistinct(
      this.#workspace.indices(`${this.name} touched rows`, this.#distinct.values, touched),
      gradient,
      learningRate,
      step,
    );
  }

  /**
   * As `apply`, for rows without repetitions, which need not be summed.
   * @param gradient count×columns; may be overwritten.
   */
  applyDistinct(indices: Indices, gradient: Matrix, learningRate: number, step: number): void {
    if (this.#rule.slots === 0) {
      scatterAddRows(gradient, indices, this.table, { scale: -learningRate });
      return;
    }
    const update = this.#rule.updateAt?.(learningRate, step);
    if (update !== undefined) {
      updateRows(gradient, indices, this.table, this.#moments, update, this.#workspace);
      return;
    }
    const { count } = indices;
    const value = this.#matrix('value', count);
    gatherRows(this.table, indices, value);
    for (const [index, moment] of this.#moments.entries()) {
      const rows = this.#matrix(`moment ${index}`, count);
      gatherRows(moment, indices, rows);
      this.#gathered[index] = rows;
    }
    this.#rule.apply(value, gradient, this.#gathered, this.#matrix('scratch', count), learningRate, step);
    scatterRows(value, indices, this.table);
    for (const [index, moment] of this.#moments.entries()) {
      const rows = this.#gathered[index];
      if (rows !== undefined) scatterRows(rows, indices, moment);
    }
  }

  /** Must be called after the table has grown: new rows start with moments of zero. */
  grow(): void {
    for (const moment of this.#moments) growTable(moment, this.table.rows);
  }

  /** The moments, for a checkpoint. The owner of the weights saves the weights. */
  tensors(): TensorSource[] {
    return this.#moments.map((moment, index) => tableTensor(`${this.name}.${index}`, moment));
  }

  /**
   * @throws StateError `state-mismatch` if a moment is missing in the state or has another shape; nothing is
   * changed.
   */
  checkState(state: ModuleState): void {
    for (const { name, rows, columns } of this.tensors()) findTensor(state, name, rows, columns);
  }

  /** Restores the moments. @throws StateError `state-mismatch`. */
  async restore(state: ModuleState): Promise<void> {
    this.checkState(state);
    for (const [index, moment] of this.#moments.entries()) await restoreTable(state, `${this.name}.${index}`, moment);
  }

  [Symbol.dispose](): void {
    for (const moment of this.#moments) moment[Symbol.dispose]();
  }

  /** Numbers the distinct rows of all gradients, and stores the number of each row of each gradient. */
  #numberRows(gradients: readonly RowGradient[], count: number): void {
    if (this.#rowSlots.length < count) this.#rowSlots = new Int32Array(Math.ceil(count * 1.5));
    this.#distinct.begin(count);
    let position = 0;
    for (const { indices } of gradients) {
      for (let i = 0; i < indices.count; i++) this.#rowSlots[position++] = this.#distinct.slotOf(indices.values[i]!);
    }
  }

  #matrix(what: string, rows: number): Matrix {
    return this.#workspace.matrix(`${this.name} ${what}`, rows, this.table.columns);
  }
}
