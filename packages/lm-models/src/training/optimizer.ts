/**
 * Applies an update rule to a body's matrices and, row-sparse, to its tables: O(matrices + touched rows), never O(table
 * rows). Gradients can be clipped and weights can decay.
 */
import type { ModuleState } from '@vastmax/linalg-core/state';
import {
  affine,
  axpy,
  binary,
  fill,
  gatherRows,
  reduce,
  scatterRows,
  unary,
  Workspace,
  type Backend,
  type Matrix,
} from '@vastmax/linalg-core';
import { DistinctIndices } from '@vastmax/sparse-data';
import { MatrixUpdater, TableUpdater, type UpdateRule } from '@vastmax/update-rules';
import type { ModelParameters, Parameter, TableParameter } from '../bodies/layers.ts';
import { ModelError } from '../model-error.ts';

/** The largest norm of the gradient, and weight decay; neither unless given. */
export interface OptimizerOptions {
  /** Gradients are scaled down to this norm over all parameters together; not at all unless given. */
  readonly clipNorm?: number;
  /**
   * λ: weights shrink by the learning rate times this in each step, a table's rows when a step touches them; 0 unless
   * given.
   */
  readonly weightDecay?: number;
}

/** Changes the parameters of a body by an update rule, with clipping and weight decay. */
export class Optimizer implements Disposable {
  readonly rule: UpdateRule;
  readonly #workspace: Workspace;
  readonly #matrices: ReadonlyMap<Parameter, MatrixUpdater>;
  readonly #tables: ReadonlyMap<TableParameter, TableUpdater>;
  readonly #clipNorm: number | undefined;
  readonly #weightDecay: number;
  readonly #distinct = new DistinctIndices();
  #step = 0;

  /** @throws ModelError `bad-option` for an option out of range. */
  constructor(backend: Backend, parameters: ModelParameters, rule: UpdateRule, options: OptimizerOptions = {}) {
    const { clipNorm, weightDecay = 0 } = options;
    if (clipNorm !== undefined && !(clipNorm > 0))
      throw new ModelError('bad-option', `optimizer: clipNorm must be above 0, got ${clipNorm}`);
    if (!(weightDecay >= 0) || !Number.isFinite(weightDecay)) {
      throw new ModelError(
        'bad-option',
        `optimizer: weightDecay must be a finite number of at least 0, got ${weightDecay}`,
      );
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

  /** @throws ModelError or OutputLayerError `state-mismatch` for another rule, other shapes, or no step count. */
  async restore(state: ModuleState): Promise<void> {
    if (state.configuration['rule'] !== this.rule.name) {
      throw new ModelError(
        'state-mismatch',
        `the checkpoint's optimizer is '${String(state.configuration['rule'])}', this one is '${this.rule.name}'`,
      );
    }
    const { step } = state.configuration;
    if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) {
      throw new ModelError(
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
    for (const { gradient, value } of this.#matrices.keys()) {
      if (gradient !== undefined) affine(value, 1 - factor, 0, value);
    }
    for (const parameter of this.#tables.keys()) {
      decayTouchedRows(parameter, factor, this.#workspace, this.#distinct);
    }
  }

  *#updaters(): Generator<MatrixUpdater | TableUpdater> {
    yield* this.#matrices.values();
    yield* this.#tables.values();
  }
}

/**
 * Scales the gradients in place so that ‖g‖ ≤ maximumNorm over all parameters together (Pascanu et al., arXiv:1211.5063
 * §3.2). O(elements). The factor is computed where the gradients are: nothing waits for the device. A table's gradients
 * count by the rows as they were gathered; a row that was gathered twice counts as two.
 */
function clipGradients(gradients: readonly Matrix[], maximumNorm: number, workspace: Workspace): void {
  const total = workspace.matrix('clip total', 1, 1);
  const part = workspace.matrix('clip part', 1, 1);
  fill(0, total);
  for (const gradient of gradients) {
    reduce('sumSquares', gradient, part);
    axpy(1, part, total);
  }
  // min(1, c/‖g‖) = 1 − relu(1 − c/‖g‖); for ‖g‖ = 0 the quotient is infinite and the factor 1.
  unary('sqrt', total, total);
  fill(maximumNorm, part);
  binary('divide', part, total, part);
  affine(part, -1, 1, part);
  unary('relu', part, part);
  affine(part, -1, 1, part);
  for (const gradient of gradients) binary('multiply', gradient, part, gradient);
}

/**
 * Decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101): w ← (1 − ηλ)·w beside the gradient's step, whatever
 * the rule. Of a table only the rows that a step touches decay, each once, so that the cost does not depend on the
 * table.
 */
function decayTouchedRows(
  { name, table, gradients }: TableParameter,
  factor: number,
  workspace: Workspace,
  distinct: DistinctIndices,
): void {
  let count = 0;
  for (const { indices } of gradients) count += indices.count;
  if (count === 0) return;
  distinct.begin(count);
  for (const { indices } of gradients) for (let i = 0; i < indices.count; i++) distinct.slotOf(indices.values[i]!);
  const touched = workspace.indices(`${name} decayed rows`, distinct.values, distinct.count);
  const rows = workspace.matrix(`${name} decayed values`, distinct.count, table.columns);
  gatherRows(table, touched, rows);
  affine(rows, 1 - factor, 0, rows);
  scatterRows(rows, touched, table);
}

/**
 * A factor on the learning rate as a function of progress in [0, 1]: of the examples to be seen, or of the time
 * allowed.
 */
export type LearningRateSchedule = (progress: number) => number;

/** The names of the schedules of the learning rate. */
export const scheduleNames = ['constant', 'linear', 'cosine'] as const;
/** How the learning rate falls. */
export type ScheduleName = (typeof scheduleNames)[number];

/** The factor of the rate at the end, and the part of the steps in which it rises at the beginning. */
export interface ScheduleOptions {
  /** Factor at the end, 0.05 unless given; no effect on `constant`. */
  readonly finalFactor?: number;
  /** Share of the training over which the rate rises linearly from 0; 0 unless given. */
  readonly warmup?: number;
}

/** @throws ModelError `bad-option` for an unknown name or an option out of range. */
export function createSchedule(name: string, options: ScheduleOptions = {}): LearningRateSchedule {
  const { finalFactor = 0.05, warmup = 0 } = options;
  if (!(finalFactor >= 0 && finalFactor <= 1))
    throw new ModelError('bad-option', `schedule: finalFactor must be from 0 to 1, got ${finalFactor}`);
  if (!(warmup >= 0 && warmup < 1))
    throw new ModelError('bad-option', `schedule: warmup must be at least 0 and less than 1, got ${warmup}`);
  const shape = shapeOf(name, finalFactor);
  return (progress) => {
    const bounded = Math.min(1, Math.max(0, progress));
    if (bounded < warmup) return bounded / warmup;
    return shape((bounded - warmup) / (1 - warmup));
  };
}

function shapeOf(name: string, finalFactor: number): LearningRateSchedule {
  switch (name) {
    case 'constant':
      return () => 1;
    case 'linear':
      return (progress) => 1 - (1 - finalFactor) * progress;
    case 'cosine':
      return (progress) => finalFactor + (1 - finalFactor) * 0.5 * (1 + Math.cos(Math.PI * progress));
    default:
      throw new ModelError('bad-option', `no schedule is called '${name}'; there are ${scheduleNames.join(', ')}`);
  }
}
