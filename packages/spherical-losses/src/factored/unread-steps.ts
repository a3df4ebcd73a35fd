/**
 * Steps that nobody has looked at yet, with what they were given, so that a step which the device refused can be done
 * again by the host, and those after it with it. How many steps go unread starts at one and doubles while all is well,
 * up to as many as have room.
 */
import { copy, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { StepOptions } from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';

export interface UnreadStep {
  /** m×d with the bias feature, a matrix of the workspace that is this step's alone. */
  readonly hidden: Matrix;
  readonly targets: CsrRows;
  readonly options: StepOptions;
}

const maxSteps = 16;
/** Of hidden activations that are kept. */
const maxNumbers = 2 ** 23;

export class UnreadSteps {
  readonly #workspace: Workspace;
  readonly #records: StepRecord[] = [];
  #count = 0;
  #patience = 1;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether the host should look before another step of this size. */
  isFull(numbers: number): boolean {
    return this.#count >= Math.min(this.#patience, Math.max(1, Math.floor(maxNumbers / Math.max(1, numbers))));
  }

  /** Name of the workspace's matrix for the next step's hidden activations. */
  get nextHidden(): string {
    return `hidden of unread step ${this.#count}`;
  }

  /**
   * Copies what the caller may change.
   * @param hidden with the bias feature; copied unless it is the matrix called `nextHidden`
   */
  add(hidden: Matrix, targets: CsrRows, options: StepOptions): void {
    const kept = this.#workspace.matrix(this.nextHidden, hidden.rows, hidden.columns);
    if (kept !== hidden) copy(hidden, kept);
    const record = (this.#records[this.#count] ??= new StepRecord(kept));
    record.take(kept, targets, options);
    this.#count++;
  }

  /** All steps were applied. */
  accept(): void {
    this.#count = 0;
    this.#patience = Math.min(maxSteps, 2 * this.#patience);
  }

  /** The first `applied` were: the rest, to be done again. */
  refuse(applied: number): readonly UnreadStep[] {
    const rest = this.#records.slice(applied, this.#count);
    this.#count = 0;
    this.#patience = 1;
    return rest;
  }

  /** They no longer matter. */
  forget(): void {
    this.#count = 0;
  }
}

/** Arrays that grow and are kept. */
class StepRecord implements UnreadStep {
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
