/**
 * Applies an update rule to a model's matrices and, row-sparse, to its tables. O(matrices + touched rows), never
 * O(table rows).
 */
import { Workspace, type Backend, type Matrix } from '@vastmax/linalg-core';
import { StateError, type ModuleState } from '@vastmax/linalg-core/state';
import { DistinctIndices } from '@vastmax/sparse-data';
import { MatrixUpdater, TableUpdater, type UpdateRule } from '@vastmax/update-rules';
import type { ModelParameters, Parameter, TableParameter } from '../parameters.ts';
import { clipGradients } from './gradient-clipping.ts';
import { decayMatrix, decayTouchedRows } from './weight-decay.ts';

export interface OptimizerOptions {
  /** Gradients are scaled down to this norm over all parameters together; not at all unless given. */
  readonly clipNorm?: number;
  /**
   * λ: weights shrink by the learning rate times this in each step, a table's rows when a step touches them; 0 unless
   * given.
   */
  readonly weightDecay?: number;
}

export class Optimizer implements Disposable {
  readonly rule: UpdateRule;
  readonly #workspace: Workspace;
  readonly #matrices: ReadonlyMap<Parameter, MatrixUpdater>;
  readonly #tables: ReadonlyMap<TableParameter, TableUpdater>;
  readonly #clipNorm: number | undefined;
  readonly #weightDecay: number;
  readonly #distinct = new DistinctIndices();
  #step = 0;

  /** @throws RangeError for an option out of range. */
  constructor(backend: Backend, parameters: ModelParameters, rule: UpdateRule, options: OptimizerOptions = {}) {
    const { clipNorm, weightDecay = 0 } = options;
    if (clipNorm !== undefined && !(clipNorm > 0))
      throw new RangeError(`optimizer: clipNorm must be above 0, got ${clipNorm}`);
    if (!(weightDecay >= 0) || !Number.isFinite(weightDecay)) {
      throw new RangeError(`optimizer: weightDecay must be a finite number of at least 0, got ${weightDecay}`);
    }
    this.rule = rule;
    this.#clipNorm = clipNorm;
    this.#weightDecay = weightDecay;
    const workspace = new Workspace(backend);
    this.#workspace = workspace;
    this.#matrices = new Map(
      parameters.matrices.map((parameter) => [
        parameter,
        new MatrixUpdater(parameter.name, parameter.value, rule, workspace),
      ]),
    );
    this.#tables = new Map(
      parameters.tables.map((parameter) => [
        parameter,
        new TableUpdater(parameter.name, parameter.table, rule, workspace),
      ]),
    );
  }

  /** How many steps were taken. */
  get stepCount(): number {
    return this.#step;
  }

  /** Apply the gradients of the current tape step. Call it after `tape.backward` and before `tape.reset`. */
  step(learningRate: number): void {
    this.#step++;
    if (this.#clipNorm !== undefined) clipGradients(this.#gradients(), this.#clipNorm, this.#workspace);
    if (this.#weightDecay > 0) this.#decay(learningRate * this.#weightDecay);
    for (const [{ gradient }, updater] of this.#matrices) {
      if (gradient !== undefined) updater.apply(gradient, learningRate, this.#step);
    }
    for (const [{ gradients }, updater] of this.#tables) updater.apply(gradients, learningRate, this.#step);
  }

  state(): ModuleState {
    return {
      configuration: { rule: this.rule.name, options: this.rule.options, step: this.#step },
      tensors: [...this.#updaters()].flatMap((updater) => updater.tensors()),
    };
  }

  /** @throws StateError `state-mismatch` for another rule, other shapes, or no step count. */
  async restore(state: ModuleState): Promise<void> {
    if (state.configuration['rule'] !== this.rule.name) {
      throw new StateError(
        'state-mismatch',
        `the checkpoint's optimizer is '${String(state.configuration['rule'])}', this one is '${this.rule.name}'`,
      );
    }
    const { step } = state.configuration;
    if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) {
      throw new StateError(
        'state-mismatch',
        `the optimizer's step is ${String(step)} in the checkpoint, expected a whole number`,
      );
    }
    for (const updater of this.#updaters()) updater.checkState(state);
    for (const updater of this.#updaters()) await updater.restore(state);
    this.#step = step;
  }

  [Symbol.dispose](): void {
    for (const updater of this.#updaters()) updater[Symbol.dispose]();
    this.#workspace[Symbol.dispose]();
  }

  #gradients(): Matrix[] {
    const gradients: Matrix[] = [];
    for (const { gradient } of this.#matrices.keys()) if (gradient !== undefined) gradients.push(gradient);
    for (const table of this.#tables.keys()) for (const { rows } of table.gradients) gradients.push(rows);
    return gradients;
  }

  #decay(factor: number): void {
    for (const { gradient, value } of this.#matrices.keys()) if (gradient !== undefined) decayMatrix(value, factor);
    for (const { name, table, gradients } of this.#tables.keys()) {
      decayTouchedRows(name, table, gradients, factor, this.#workspace, this.#distinct);
    }
  }

  *#updaters(): Generator<MatrixUpdater | TableUpdater> {
    yield* this.#matrices.values();
    yield* this.#tables.values();
  }
}
