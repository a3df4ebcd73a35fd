/**
 * Reverse-mode differentiation by recording: every operation computes its value at once and leaves a function that
 * turns the gradient of its output into those of its inputs; `backward` runs these in reverse. The tape owns every
 * intermediate until `reset()`, which ends the step; the next step reuses the same handles (IntermediatePool).
 *
 * Within one backward call a recorded variable collects `pending`, which is complete when its turn comes; afterwards it
 * is added to `total`. Two sums, because a second backward call must not send the first one's gradient down again.
 */
import { copy, describeShape, fill, LinalgError, type Backend, type Matrix, type RowTable } from '@vastmax/linalg-core';
import { AutodiffError } from './errors.ts';
import {
  addFrom,
  addOwned,
  checkCurrent,
  createGradientSlot,
  moveInto,
  stateOf,
  TableVariable,
  Variable,
  writableSum,
  type Allocate,
  type Backward,
  type GradientSink,
  type GradientSlot,
  type Recorder,
  type VariableState,
} from './variable.ts';

/**
 * Records a step's operations and owns its intermediates. One tape for one loop; dispose it to release everything.
 */
export class Tape implements Recorder, Disposable {
  readonly backend: Backend;
  readonly #pool: IntermediatePool;
  readonly #recorded: Variable[] = [];
  readonly #allocate: Allocate;
  readonly #sink: GradientSink;
  #current: GradientSlot | undefined;
  #step = 0;
  #disposed = false;

  constructor(backend: Backend) {
    this.backend = backend;
    this.#pool = new IntermediatePool(backend);
    this.#allocate = (rows, columns) => this.#pool.take(rows, columns);
    this.#sink = {
      add: (input, contribution) => {
        this.#add(input, contribution);
      },
      passThrough: (input, factor = 1) => {
        this.#passThrough(input, factor);
      },
      target: (input) => this.#target(input),
    };
  }

  get step(): number {
    return this.#step;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** See {@link Recorder}. */
  constant(value: Matrix): Variable {
    this.#checkOwn('constant', value);
    return this.#create(value, false, -1, undefined);
  }

  /** See {@link Recorder}. */
  variable(value: Matrix): Variable {
    this.#checkOwn('variable', value);
    return this.#create(value, true, -1, undefined);
  }

  /** A table whose gathered rows get gradients. It stays the caller's. */
  table(value: RowTable): TableVariable {
    this.#checkOwn('table', value);
    return new TableVariable(this, value, this.#step);
  }

  /** See {@link Recorder}. */
  allocate(rows: number, columns: number): Matrix {
    this.#checkLive('allocate');
    return this.#pool.take(rows, columns);
  }

  /** See {@link Recorder}. */
  record(value: Matrix, inputs: readonly Variable[], backward: Backward): Variable {
    this.#checkOwn('record', value);
    let requiresGradient = false;
    for (const input of inputs) {
      this.#check('record', input);
      requiresGradient ||= input.requiresGradient;
    }
    if (!requiresGradient) return this.#create(value, false, -1, undefined);
    const output = this.#create(value, true, this.#recorded.length, backward);
    this.#recorded.push(output);
    return output;
  }

  /**
   * Adds ∂(Σ seed ∘ output)/∂x to the gradient of every x that output depends on. May be called for several outputs in
   * turn. An output that depends on no variable is no error: nothing is done.
   * @param seed output's shape; ones unless given. It is copied.
   * @throws AutodiffError `shape`, `tape-mismatch`, `stale-variable`.
   */
  backward(output: Variable, seed?: Matrix): void {
    this.#checkLive('backward');
    this.#check('backward', output);
    if (seed !== undefined && (seed.rows !== output.rows || seed.columns !== output.columns)) {
      throw new AutodiffError(
        'shape',
        `backward: seed is ${describeShape(seed)}, output is ${describeShape(output)}; the seed has the shape of the output`,
      );
    }
    if (!output.requiresGradient) return;
    const start = this.#pool.take(output.rows, output.columns);
    if (seed === undefined) fill(1, start);
    else copy(seed, start);
    this.#add(output, start);
    const { position } = stateOf(output);
    try {
      for (let i = position; i >= 0; i--) this.#propagate(stateOf(this.#recorded[i]!));
    } finally {
      // After an error partial sums are dropped; a completed pass has left nothing pending.
      this.#current = undefined;
      for (let i = position; i >= 0; i--) {
        const { pending } = stateOf(this.#recorded[i]!);
        pending.matrix = undefined;
        pending.shared = false;
      }
    }
  }

  /**
   * Ends the step: its variables become stale, the next step reuses its intermediates. O(1) apart from dropping the
   * records.
   */
  reset(): void {
    this.#checkLive('reset');
    this.#endStep();
    this.#pool.rewind();
  }

  /** Releases all intermediates. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#endStep();
    this.#pool[Symbol.dispose]();
  }

  #endStep(): void {
    this.#step++;
    this.#recorded.length = 0;
  }

  #create(value: Matrix, requiresGradient: boolean, position: number, backward: Backward | undefined): Variable {
    const total = createGradientSlot();
    const pending = createGradientSlot();
    return new Variable(this, { value, requiresGradient, step: this.#step, position, backward, total, pending });
  }

  #propagate({ pending, total, backward }: VariableState): void {
    if (pending.matrix === undefined || backward === undefined) return;
    this.#current = pending;
    backward(pending.matrix, this.#sink);
    moveInto(total, pending, this.#allocate);
  }

  #slotOf(input: Variable): GradientSlot {
    const { backward, total, pending } = stateOf(input);
    return backward === undefined ? total : pending;
  }

  #add(input: Variable, contribution: Matrix): void {
    if (!input.requiresGradient) return;
    checkContribution(input, contribution);
    addOwned(this.#slotOf(input), contribution);
  }

  #target(input: Variable): { readonly out: Matrix; readonly beta: 0 | 1 } {
    if (!input.requiresGradient) {
      throw new AutodiffError(
        'bad-option',
        `backward: the target of a constant of ${describeShape(input)} was requested; check requiresGradient of each input first`,
      );
    }
    return writableSum(this.#slotOf(input), input.rows, input.columns, this.#allocate);
  }

  #passThrough(input: Variable, factor: number): void {
    if (!input.requiresGradient || this.#current?.matrix === undefined) return;
    checkContribution(input, this.#current.matrix);
    // The caller may change a leaf's gradient in place, so it is never shared.
    const share = stateOf(input).backward !== undefined;
    addFrom(this.#slotOf(input), this.#current, factor, share, this.#allocate);
  }

  #check(operation: string, variable: Variable): void {
    if (variable.tape !== this) {
      throw new AutodiffError(
        'tape-mismatch',
        `${operation}: the variable belongs to another tape; use variables of one tape`,
      );
    }
    checkCurrent(operation, this, stateOf(variable).step);
  }

  #checkLive(operation: string): void {
    if (this.#disposed) throw new AutodiffError('disposed', `${operation}: the tape was disposed`);
  }

  #checkOwn(operation: string, value: Matrix | RowTable): void {
    this.#checkLive(operation);
    if (value.disposed)
      throw new LinalgError('disposed', `${operation}: the value was disposed (it was ${describeShape(value)})`);
    if (value.backend !== this.backend) {
      throw new LinalgError(
        'backend-mismatch',
        `${operation}: the value lives on '${value.backend.name}', the tape on '${this.backend.name}'${
          value.backend.name === this.backend.name ? ' (two instances)' : ''
        }; read it and write it to the tape's backend`,
      );
    }
  }
}

function checkContribution(input: Variable, contribution: Matrix): void {
  if (contribution.rows === input.rows && contribution.columns === input.columns) return;
  throw new AutodiffError(
    'shape',
    `backward: a gradient of ${describeShape(contribution)} was sent to a variable of ${describeShape(input)}; the shapes must agree`,
  );
}

/**
 * Matrices by order of request: the k-th one requested in a step is the k-th handle of the step before, resized. A
 * model requests its intermediates in the same order at every step, so shapes need no lookup and varying minibatches
 * need no second set. A slot that has become too small is replaced, its capacity growing by half at least, so a loop
 * stops creating handles after a few steps. Where the order varies (the first minibatch of a single example, a model
 * with branches) a slot ends up as large as its largest use. Rejected: a free list by shape, which creates a new set
 * for every batch size that it meets.
 */
class IntermediatePool implements Disposable {
  readonly #backend: Backend;
  readonly #slots: Matrix[] = [];
  #next = 0;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** The next matrix of this step. Its content is undefined. */
  take(rows: number, columns: number): Matrix {
    const position = this.#next;
    const existing = this.#slots[position];
    if (existing !== undefined && existing.capacity >= rows * columns) {
      existing.resize(rows, columns);
      this.#next = position + 1;
      return existing;
    }
    const capacity = Math.max(rows * columns, Math.ceil((existing?.capacity ?? 0) * 1.5));
    // Created before the old one is disposed: when the device is out of memory the slot stays usable.
    const created = this.#backend.createMatrix(1, capacity).resize(rows, columns);
    existing?.[Symbol.dispose]();
    this.#slots[position] = created;
    this.#next = position + 1;
    return created;
  }

  /** The next request gets the first slot again. */
  rewind(): void {
    this.#next = 0;
  }

  [Symbol.dispose](): void {
    for (const slot of this.#slots) slot[Symbol.dispose]();
    this.#slots.length = 0;
    this.#next = 0;
  }
}
