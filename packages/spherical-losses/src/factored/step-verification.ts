/**
 * Asynchronously verified steps, for backends where a read has to wait for the device. The device itself decides
 * whether a step may be applied: operations that change weights run under a mask, which is above 0 only until the first
 * step that is not regular. The host reads the mask from time to time, and repeats a rejected step and those after it.
 * For this, pending steps are kept with their inputs.
 */
import {
  affine,
  binary,
  copy,
  copyColumns,
  createHostArray,
  fill,
  read,
  unary,
  type Backend,
  type FloatArray,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { StepMonitor, StepOptions } from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import { places } from './rebase-control.ts';
import { thresholdsFor, type StabilityThresholds } from './rebase-schedule.ts';

/**
 * The layer rebases in time, from the growth of κ so far; the device rejects a step only if κ exceeds the threshold by
 * this factor.
 */
const slack = 10;

export interface MaskReading {
  /** Steps that were applied since `reset`. */
  readonly applied: number;
  /** κ of U before the last step. */
  readonly condition: number;
}

/**
 * Above 0 while every step so far was regular: loss and gradient finite, small system far from singular, U well
 * conditioned. Once it is not above 0 it stays so, and operations of the layer under `guarded(mask, …)` have no effect
 * until the host has read it. Elementwise on 1×1 matrices: one kernel where chains are fused.
 */
export class AcceptMask implements Disposable {
  /** 1×1. */
  readonly mask: Matrix;
  readonly #monitor: StepMonitor;
  readonly #applied: Matrix;
  readonly #row: Matrix;
  readonly #host: FloatArray;
  readonly #thresholds: StabilityThresholds;
  /** The largest κ at which a step is applied. */
  readonly #limit: number;
  readonly #width: number;

  /** @param width d, of U. */
  constructor(backend: Backend, monitor: StepMonitor, width: number) {
    this.mask = backend.createMatrix(1, 1);
    this.#monitor = monitor;
    this.#applied = backend.createMatrix(1, 1);
    this.#row = backend.createMatrix(1, 2);
    this.#host = createHostArray(backend, 2);
    this.#thresholds = thresholdsFor(backend.precision);
    this.#limit = slack * this.#thresholds.condition;
    this.#width = width;
    this.reset();
  }

  /** Computed from the monitor's six numbers, which it overwrites. Every line propagates NaN. */
  computeAcceptMask(): void {
    const losses = this.#monitor.slot(places.losses);
    const system = this.#monitor.slot(places.system);
    const map = this.#monitor.slot(places.map);
    const inverse = this.#monitor.slot(places.inverse);
    // How far 1/‖T⁻¹‖ is above its threshold: see isSingularSystem. min(1, x) = 1 − relu(1 − x).
    unary('sqrt', system, system);
    affine(system, -1, 1, system);
    unary('relu', system, system);
    affine(system, -1, 1, system);
    binary('multiply', system, this.#monitor.slot(places.reciprocalCondition), system);
    affine(system, 1, -this.#thresholds.reciprocalCondition, system);
    // How far κ² is below its limit.
    binary('multiply', map, inverse, map);
    affine(map, -1 / (this.#limit * this.#width) ** 2, 1, map);
    minimum(system, map, inverse);
    // 0, or NaN.
    binary('add', losses, this.#monitor.slot(places.gradient), losses);
    affine(losses, 0, 0, losses);
    binary('add', system, losses, system);
    minimum(this.mask, system, inverse);
  }

  /** To be called under the guard. */
  count(): void {
    affine(this.#applied, 1, 1, this.#applied);
  }

  /** Reads the mask and its numbers; one read. */
  async read(): Promise<MaskReading> {
    copyColumns(this.#applied, 0, this.#row, 0, 1);
    copyColumns(this.#monitor.slot(places.map), 0, this.#row, 1, 1);
    await read(this.#row, this.#host);
    return { applied: this.#host[0]!, condition: this.#limit * Math.sqrt(1 - this.#host[1]!) };
  }

  /** To be called when no step was applied yet and all may be. */
  reset(): void {
    fill(1, this.mask);
    fill(0, this.#applied);
  }

  [Symbol.dispose](): void {
    for (const matrix of [this.mask, this.#applied, this.#row]) matrix[Symbol.dispose]();
  }
}

/** a = min(a, b), using `scratch`; NaN when either is NaN. */
function minimum(a: Matrix, b: Matrix, scratch: Matrix): void {
  binary('subtract', a, b, scratch);
  unary('relu', scratch, scratch);
  binary('subtract', a, scratch, a);
}

export interface PendingStep {
  /** m×d with the bias feature, a matrix of the workspace that only this step uses. */
  readonly hidden: Matrix;
  readonly targets: CsrRows;
  readonly options: StepOptions;
}

const maxSteps = 16;
/** Maximum number of stored hidden activations. */
const maxNumbers = 2 ** 23;

/** The number of steps that may be pending starts at one and doubles while all are regular, up to what fits. */
export class PendingSteps {
  readonly #workspace: Workspace;
  readonly #records: StepRecord[] = [];
  #count = 0;
  #limit = 1;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether the host should verify them before another step of this size. */
  isFull(numbers: number): boolean {
    return this.#count >= Math.min(this.#limit, Math.max(1, Math.floor(maxNumbers / Math.max(1, numbers))));
  }

  /** Name of the workspace's matrix for the next step's hidden activations. */
  get nextHidden(): string {
    return `hidden of pending step ${this.#count}`;
  }

  /**
   * Copies the inputs that the caller may change.
   * @param hidden with the bias feature; copied unless it is the matrix called `nextHidden`
   */
  add(hidden: Matrix, targets: CsrRows, options: StepOptions): void {
    const kept = this.#workspace.matrix(this.nextHidden, hidden.rows, hidden.columns);
    if (kept !== hidden) copy(hidden, kept);
    const record = (this.#records[this.#count] ??= new StepRecord(kept));
    record.take(kept, targets, options);
    this.#count++;
  }

  /** To be called when all steps were applied. */
  accept(): void {
    this.#count = 0;
    this.#limit = Math.min(maxSteps, 2 * this.#limit);
  }

  /** The first `applied` steps were applied. @returns the others, which must be repeated. */
  refuse(applied: number): readonly PendingStep[] {
    const rest = this.#records.slice(applied, this.#count);
    this.#count = 0;
    this.#limit = 1;
    return rest;
  }

  /** Drops all pending steps. */
  forget(): void {
    this.#count = 0;
  }
}

/** Arrays that grow and are reused. */
class StepRecord implements PendingStep {
  hidden: Matrix;
  targets: CsrRows = { rows: 0, columns: 0, offsets: new Int32Array(1), indices: new Int32Array(0), values: undefined };
  options: StepOptions = { learningRate: 0 };
  #offsets = new Int32Array(0);
  #indices = new Int32Array(0);
  #values = new Float64Array(0);
  #weights = new Float64Array(0);

  constructor(hidden: Matrix) {
    this.hidden = hidden;
  }

  take(hidden: Matrix, targets: CsrRows, { learningRate, exampleWeights }: StepOptions): void {
    const { rows, offsets, indices, values } = targets;
    const entries = offsets[rows]!;
    this.hidden = hidden;
    if (this.#offsets.length <= rows) this.#offsets = new Int32Array(rows + 1);
    if (this.#indices.length < entries) this.#indices = new Int32Array(Math.ceil(1.5 * entries));
    for (let row = 0; row <= rows; row++) this.#offsets[row] = offsets[row]!;
    for (let entry = 0; entry < entries; entry++) this.#indices[entry] = indices[entry]!;
    if (values !== undefined) {
      if (this.#values.length < entries) this.#values = new Float64Array(Math.ceil(1.5 * entries));
      for (let entry = 0; entry < entries; entry++) this.#values[entry] = values[entry]!;
    }
    if (exampleWeights !== undefined) {
      if (this.#weights.length < rows) this.#weights = new Float64Array(rows);
      for (let row = 0; row < rows; row++) this.#weights[row] = exampleWeights[row]!;
    }
    this.targets = { ...targets, offsets: this.#offsets, indices: this.#indices, values: values && this.#values };
    this.options = { learningRate, ...(exampleWeights === undefined ? {} : { exampleWeights: this.#weights }) };
  }
}
