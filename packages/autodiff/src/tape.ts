/**
 * Reverse-mode differentiation by recording: every operation computes its value at once and leaves a function that
 * turns the gradient of its output into those of its inputs; `backward` runs these in reverse. The tape owns every
 * intermediate until `reset()`, which ends the step; the next step uses the same handles again (intermediate-pool.ts).
 *
 * Within one backward call a recorded variable collects `pending`, which is complete when its turn comes; afterwards it
 * joins `total`. Two sums, because a second backward call must not send the first one's gradient down again.
 */
import { copy, describeShape, fill, LinalgError, type Backend, type Matrix, type RowTable } from '@vastmax/linalg-core';
import { AutodiffError } from './errors.ts';
import {
  createGradientSlot,
  giveTo,
  openSlot,
  passTo,
  settleInto,
  type Allocate,
  type GradientSlot,
} from './gradient-slot.ts';
import { IntermediatePool } from './intermediate-pool.ts';
import { checkCurrent, stateOf, TableVariable, Variable, type VariableState } from './variable.ts';

/**
 * Where a recorded operation sends gradients. Skip the work for inputs whose `requiresGradient` is false; `give` and
 * `pass` ignore them.
 */
export interface GradientSink {
  /** Add a matrix of the input's shape from `tape.allocate`. It is given away: not to be used, nor given, again. */
  give(input: Variable, contribution: Matrix): void;
  /**
   * Add factor (1 unless given) × the output's gradient; input and output have the same shape. Factor 1 is usually
   * free.
   */
  pass(input: Variable, factor?: number): void;
  /**
   * The matrix that collects the input's gradient, for kernels that accumulate by themselves: out = contribution +
   * beta·out. With beta 0 it holds anything and must be overwritten.
   * @throws AutodiffError `bad-option` for an input that requires no gradient.
   */
  target(input: Variable): { readonly out: Matrix; readonly beta: 0 | 1 };
}

/**
 * @param gradient that of the output, of its shape; read only. Called once in each backward call that reaches the
 * output.
 */
export type Backward = (gradient: Matrix, sink: GradientSink) => void;

/**
 * Records a step's operations and owns its intermediates. One tape serves one loop; dispose it to hand everything back.
 */
export class Tape implements Disposable {
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
      give: (input, contribution) => {
        this.#give(input, contribution);
      },
      pass: (input, factor = 1) => {
        this.#pass(input, factor);
      },
      target: (input) => this.#target(input),
    };
  }

  /** How many steps were ended by `reset()`. */
  get step(): number {
    return this.#step;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** A value without gradient. It stays the caller's and must not change before the step's last backward call. */
  constant(value: Matrix): Variable {
    this.#checkOwn('constant', value);
    return this.#create(value, false, -1, undefined);
  }

  /** A leaf: a parameter or an input whose gradient is wanted. The value stays the caller's, as for a constant. */
  variable(value: Matrix): Variable {
    this.#checkOwn('variable', value);
    return this.#create(value, true, -1, undefined);
  }

  /** A table whose gathered rows get gradients. It stays the caller's. */
  table(value: RowTable): TableVariable {
    this.#checkOwn('table', value);
    return new TableVariable(this, value, this.#step);
  }

  /**
   * A matrix for an intermediate, owned by the tape until `reset()`. Its content is whatever was there: write before
   * you read.
   */
  allocate(rows: number, columns: number): Matrix {
    this.#checkLive('allocate');
    return this.#pool.take(rows, columns);
  }

  /**
   * Enter an operation whose value has been computed (into a matrix from `allocate`). `backward` is kept until
   * `reset()` and only if an input requires a gradient; let it capture variables and matrices of the tape, not host
   * arrays.
   *
   *     const out = tape.allocate(x.rows, x.columns);
   *     unary('exp', x.value, out);
   *     return tape.record(out, [x], (gradient, sink) => {
   *       const contribution = tape.allocate(x.rows, x.columns);
   *       binary('multiply', gradient, out, contribution);
   *       sink.give(x, contribution);
   *     });
   *
   * @throws AutodiffError `tape-mismatch`, `stale-variable`.
   */
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
   * Add ∂(Σ seed ∘ output)/∂x to the gradient of every x that output depends on. May be called for several outputs in
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
    this.#give(output, start);
    const { position } = stateOf(output);
    try {
      for (let i = position; i >= 0; i--) this.#propagate(stateOf(this.#recorded[i]!));
    } finally {
      // After an error what was under way is dropped; a finished pass has left nothing pending.
      this.#current = undefined;
      for (let i = position; i >= 0; i--) {
        const { pending } = stateOf(this.#recorded[i]!);
        pending.matrix = undefined;
        pending.shared = false;
      }
    }
  }

  /**
   * End the step: its variables become stale, its intermediates are used again by the next one. O(1) apart from dropped
   * records.
   */
  reset(): void {
    this.#checkLive('reset');
    this.#endStep();
    this.#pool.rewind();
  }

  /** Hand all intermediates back. Idempotent. */
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
    settleInto(total, pending, this.#allocate);
  }

  #collecting(input: Variable): GradientSlot {
    const { backward, total, pending } = stateOf(input);
    return backward === undefined ? total : pending;
  }

  #give(input: Variable, contribution: Matrix): void {
    if (!input.requiresGradient) return;
    checkContribution(input, contribution);
    giveTo(this.#collecting(input), contribution);
  }

  #target(input: Variable): { readonly out: Matrix; readonly beta: 0 | 1 } {
    if (!input.requiresGradient) {
      throw new AutodiffError(
        'bad-option',
        `backward: the target of a constant of ${describeShape(input)} was asked for; check requiresGradient of each input first`,
      );
    }
    return openSlot(this.#collecting(input), input.rows, input.columns, this.#allocate);
  }

  #pass(input: Variable, factor: number): void {
    if (!input.requiresGradient || this.#current?.matrix === undefined) return;
    checkContribution(input, this.#current.matrix);
    // A leaf's gradient is the caller's to change in place, so it is never lent.
    const lend = stateOf(input).backward !== undefined;
    passTo(this.#collecting(input), this.#current, factor, lend, this.#allocate);
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
