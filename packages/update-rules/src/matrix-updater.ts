import type { Matrix, Workspace } from '@vastmax/linalg-core';
import {
  findTensor,
  matrixTensor,
  restoreMatrix,
  type ModuleState,
  type TensorSource,
} from '@vastmax/linalg-core/state';
import type { UpdateRule } from './update-rules.ts';

/**
 * Applies a rule to one matrix of weights and owns the moments that the rule keeps for it; the matrix stays the
 * caller's.
 */
export class MatrixUpdater implements Disposable {
  /** Names its tensors: `name.0`, `name.1`. */
  readonly name: string;
  readonly value: Matrix;
  readonly #rule: UpdateRule;
  readonly #workspace: Workspace;
  readonly #moments: readonly Matrix[];

  /** @param workspace where scratch is taken from, under names that begin with `name`. */
  constructor(name: string, value: Matrix, rule: UpdateRule, workspace: Workspace) {
    this.name = name;
    this.value = value;
    this.#rule = rule;
    this.#workspace = workspace;
    this.#moments = Array.from({ length: rule.slots }, () => value.backend.createMatrix(value.rows, value.columns));
  }

  /**
   * Change the matrix. O(rows·columns).
   * @param gradient of the matrix's shape; may be overwritten.
   * @param step of the whole training, from 1.
   */
  apply(gradient: Matrix, learningRate: number, step: number): void {
    const { rows, columns } = this.value;
    const scratch = this.#workspace.matrix(`${this.name} scratch`, rows, columns);
    this.#rule.apply(this.value, gradient, this.#moments, scratch, learningRate, step);
  }

  /** The moments, for a checkpoint; the weights are the owner's to save. */
  tensors(): TensorSource[] {
    return this.#moments.map((moment, index) => matrixTensor(`${this.name}.${index}`, moment));
  }

  /**
   * @throws StateError `state-mismatch` when the state lacks a moment or has it in another shape; nothing is
   * changed.
   */
  checkState(state: ModuleState): void {
    for (const { name, rows, columns } of this.tensors()) findTensor(state, name, rows, columns);
  }

  /** Take over the moments. @throws StateError `state-mismatch`. */
  async restore(state: ModuleState): Promise<void> {
    this.checkState(state);
    for (const [index, moment] of this.#moments.entries()) await restoreMatrix(state, `${this.name}.${index}`, moment);
  }

  [Symbol.dispose](): void {
    for (const moment of this.#moments) moment[Symbol.dispose]();
  }
}
