/**
 * Applies an update rule to a model's matrices and, row-sparse, to its tables. Plain SGD on a table is one scatter; a rule that keeps moments
 * needs each touched row once, so repeated rows are added up first (DistinctIndices), the rows and their moments gathered,
 * changed and stored back. O(touched rows), never O(table rows).
 */
import { fill, gatherRows, scatterAddRows, scatterRows, Workspace, type Backend, type Matrix, type RowTable } from '@vastmax/linalg-core';
import { matrixTensor, OutputLayerError, restoreMatrix, restoreTable, tableTensor, type ModuleState } from '@vastmax/output-layer';
import { DistinctIndices } from '@vastmax/sparse-data';
import type { ModelParameters, Parameter, TableParameter } from '../parameters.ts';
import type { UpdateRule } from './update-rules.ts';

export class Optimizer implements Disposable {
  readonly rule: UpdateRule;
  readonly #parameters: ModelParameters;
  readonly #workspace: Workspace;
  readonly #distinct = new DistinctIndices();
  readonly #matrixSlots: ReadonlyMap<Parameter, readonly Matrix[]>;
  readonly #tableSlots: ReadonlyMap<TableParameter, readonly RowTable[]>;
  #rowSlots: Int32Array = new Int32Array(0);
  #step = 0;

  constructor(backend: Backend, parameters: ModelParameters, rule: UpdateRule) {
    this.rule = rule;
    this.#parameters = parameters;
    this.#workspace = new Workspace(backend);
    const each = Array.from({ length: rule.slots });
    this.#matrixSlots = new Map(
      parameters.matrices.map((parameter) => [
        parameter,
        each.map(() => backend.createMatrix(parameter.value.rows, parameter.value.columns)),
      ]),
    );
    this.#tableSlots = new Map(
      parameters.tables.map((parameter) => [
        parameter,
        each.map(() => backend.createTable(parameter.table.rows, parameter.table.columns)),
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
    for (const [parameter, slots] of this.#matrixSlots) {
      const { gradient, value } = parameter;
      if (gradient === undefined) continue;
      const scratch = this.#workspace.matrix(`scratch ${parameter.name}`, value.rows, value.columns);
      this.rule.apply(value, gradient, slots, scratch, learningRate, this.#step);
    }
    for (const [parameter, slots] of this.#tableSlots) this.#stepTable(parameter, slots, learningRate);
  }

  #stepTable(parameter: TableParameter, slots: readonly RowTable[], learningRate: number): void {
    const { table, gradients } = parameter;
    if (this.rule.slots === 0) {
      for (const { indices, rows } of gradients) scatterAddRows(rows, indices, table, { scale: -learningRate });
      return;
    }
    let count = 0;
    for (const { indices } of gradients) count += indices.count;
    if (count === 0) return;
    if (this.#rowSlots.length < count) this.#rowSlots = new Int32Array(Math.ceil(count * 1.5));
    this.#distinct.begin(count);
    let position = 0;
    for (const { indices } of gradients) {
      for (let i = 0; i < indices.count; i++) this.#rowSlots[position++] = this.#distinct.slotOf(indices.values[i]!);
    }
    const touched = this.#distinct.count;
    const named = (what: string): Matrix => this.#workspace.matrix(`${parameter.name} ${what}`, touched, table.columns);
    const gradient = named('gradient');
    fill(0, gradient);
    position = 0;
    for (const { indices, rows } of gradients) {
      const places = this.#rowSlots.subarray(position, position + indices.count);
      scatterAddRows(rows, this.#workspace.indices('gradient places', places), gradient);
      position += indices.count;
    }
    const rows = this.#workspace.indices('touched rows', this.#distinct.values, touched);
    const value = named('value');
    gatherRows(table, rows, value);
    const moments = slots.map((slot, index) => {
      const moment = named(`moment ${index}`);
      gatherRows(slot, rows, moment);
      return moment;
    });
    this.rule.apply(value, gradient, moments, named('scratch'), learningRate, this.#step);
    scatterRows(value, rows, table);
    for (const [index, slot] of slots.entries()) scatterRows(moments[index]!, rows, slot);
  }

  state(): ModuleState {
    return {
      configuration: { rule: this.rule.name, options: this.rule.options, step: this.#step },
      tensors: [
        ...this.#parameters.matrices.flatMap((parameter) =>
          (this.#matrixSlots.get(parameter) ?? []).map((slot, index) => matrixTensor(`${parameter.name}.${index}`, slot)),
        ),
        ...this.#parameters.tables.flatMap((parameter) =>
          (this.#tableSlots.get(parameter) ?? []).map((slot, index) => tableTensor(`${parameter.name}.${index}`, slot)),
        ),
      ],
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
    for (const [parameter, slots] of this.#matrixSlots) {
      for (const [index, slot] of slots.entries()) await restoreMatrix(state, `${parameter.name}.${index}`, slot);
    }
    for (const [parameter, slots] of this.#tableSlots) {
      for (const [index, slot] of slots.entries()) await restoreTable(state, `${parameter.name}.${index}`, slot);
    }
    this.#step = step;
  }

  [Symbol.dispose](): void {
    this.#workspace[Symbol.dispose]();
    for (const slots of this.#matrixSlots.values()) for (const slot of slots) slot[Symbol.dispose]();
    for (const slots of this.#tableSlots.values()) for (const slot of slots) slot[Symbol.dispose]();
  }
}
