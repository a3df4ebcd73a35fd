/** Applies an update rule to a model's matrices and, row-sparse, to its tables. O(matrices + touched rows), never O(table rows). */
import { Workspace, type Backend } from '@vastmax/linalg-core';
import { OutputLayerError, type ModuleState } from '@vastmax/output-layer';
import { MatrixUpdater, TableUpdater, type UpdateRule } from '@vastmax/update-rules';
import type { ModelParameters, Parameter, TableParameter } from '../parameters.ts';

export class Optimizer implements Disposable {
  readonly rule: UpdateRule;
  readonly #workspace: Workspace;
  readonly #matrices: ReadonlyMap<Parameter, MatrixUpdater>;
  readonly #tables: ReadonlyMap<TableParameter, TableUpdater>;
  #step = 0;

  constructor(backend: Backend, parameters: ModelParameters, rule: UpdateRule) {
    this.rule = rule;
    const workspace = new Workspace(backend);
    this.#workspace = workspace;
    this.#matrices = new Map(
      parameters.matrices.map((parameter) => [parameter, new MatrixUpdater(parameter.name, parameter.value, rule, workspace)]),
    );
    this.#tables = new Map(
      parameters.tables.map((parameter) => [parameter, new TableUpdater(parameter.name, parameter.table, rule, workspace)]),
    );
  }

  /** How many steps were taken. */
  get stepCount(): number {
    return this.#step;
  }

  /** Apply the gradients of the current tape step. Call it after `tape.backward` and before `tape.reset`. */
  step(learningRate: number): void {
    this.#step++;
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

  /** @throws OutputLayerError `state-mismatch` for another rule, other shapes, or no step count. */
  async restore(state: ModuleState): Promise<void> {
    if (state.configuration['rule'] !== this.rule.name) {
      throw new OutputLayerError(
        'state-mismatch',
        `the checkpoint's optimizer is '${String(state.configuration['rule'])}', this one is '${this.rule.name}'`,
      );
    }
    const { step } = state.configuration;
    if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) {
      throw new OutputLayerError('state-mismatch', `the optimizer's step is ${String(step)} in the checkpoint, expected a whole number`);
    }
    for (const updater of this.#updaters()) updater.checkState(state);
    for (const updater of this.#updaters()) await updater.restore(state);
    this.#step = step;
  }

  [Symbol.dispose](): void {
    for (const updater of this.#updaters()) updater[Symbol.dispose]();
    this.#workspace[Symbol.dispose]();
  }

  *#updaters(): Generator<MatrixUpdater | TableUpdater> {
    yield* this.#matrices.values();
    yield* this.#tables.values();
  }
}
