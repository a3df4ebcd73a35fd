/**
 * The judgement of a step on the device itself, for backends on which to look at a number is to wait. The flag is above
 * 0 while every step so far was regular: loss and gradient finite, small system far from singular, U well conditioned.
 * Once it is not it stays so, and what the layer does under `guarded(flag, …)` has no effect until the host has looked.
 * Elementwise on 1×1 matrices: one kernel where chains are fused.
 */
import {
  affine,
  binary,
  copyColumns,
  createHostArray,
  fill,
  read,
  reduce,
  unary,
  type Backend,
  type FloatArray,
  type Matrix,
} from '@vastmax/linalg-core';
import { thresholdsFor, type StabilityThresholds } from './stability.ts';

/**
 * Generations are closed in time, by how κ has grown so far; only if that fails by so much does the device refuse a
 * step for it.
 */
const slack = 10;
/** What a step has to show: all 1×1, and overwritten. */
const names = ['losses', 'gradient', 'system', 'map', 'inverse', 'reciprocalCondition', 'flag', 'applied'] as const;
type Name = (typeof names)[number];

export interface VerdictReading {
  /** Steps that were applied since `reset`. */
  readonly applied: number;
  /** κ of U before the last step. */
  readonly condition: number;
}

export class StepVerdict implements Disposable {
  readonly #numbers: Readonly<Record<Name, Matrix>>;
  readonly #row: Matrix;
  readonly #host: FloatArray;
  readonly #thresholds: StabilityThresholds;
  /** The largest κ with which a step is taken. */
  readonly #limit: number;
  readonly #width: number;

  /** @param width d, of U. */
  constructor(backend: Backend, width: number) {
    const made = names.map((name) => [name, backend.createMatrix(1, 1)] as const);
    this.#numbers = Object.fromEntries(made) as Record<Name, Matrix>;
    this.#row = backend.createMatrix(1, 2);
    this.#host = createHostArray(backend, 2);
    this.#thresholds = thresholdsFor(backend.precision);
    this.#limit = slack * this.#thresholds.condition;
    this.#width = width;
    this.reset();
  }

  /** 1×1, above 0 while steps may be applied. */
  get flag(): Matrix {
    return this.#numbers.flag;
  }

  /** 1×1, for the solver to write. */
  get reciprocalCondition(): Matrix {
    return this.#numbers.reciprocalCondition;
  }

  watchLosses(losses: Matrix): void {
    reduce('sum', losses, this.#numbers.losses);
  }

  watchSquares(name: 'gradient' | 'system' | 'map' | 'inverse', matrix: Matrix): void {
    reduce('sumSquares', matrix, this.#numbers[name]);
  }

  /** From what is watched to the flag. NaN survives every line. */
  judge(): void {
    const { losses, gradient, system, map, inverse, reciprocalCondition, flag } = this.#numbers;
    // How far 1/‖T⁻¹‖ is above its threshold: see isSingularSystem. min(1, x) = 1 − relu(1 − x).
    unary('sqrt', system, system);
    affine(system, -1, 1, system);
    unary('relu', system, system);
    affine(system, -1, 1, system);
    binary('multiply', system, reciprocalCondition, system);
    affine(system, 1, -this.#thresholds.reciprocalCondition, system);
    // How far κ² is below its limit.
    binary('multiply', map, inverse, map);
    affine(map, -1 / (this.#limit * this.#width) ** 2, 1, map);
    minimum(system, map, inverse);
    // 0, or NaN.
    binary('add', losses, gradient, losses);
    affine(losses, 0, 0, losses);
    binary('add', system, losses, system);
    minimum(flag, system, inverse);
  }

  /** To be called under the guard. */
  count(): void {
    affine(this.#numbers.applied, 1, 1, this.#numbers.applied);
  }

  /** One read. */
  async reading(): Promise<VerdictReading> {
    copyColumns(this.#numbers.applied, 0, this.#row, 0, 1);
    copyColumns(this.#numbers.map, 0, this.#row, 1, 1);
    await read(this.#row, this.#host);
    return { applied: this.#host[0]!, condition: this.#limit * Math.sqrt(1 - this.#host[1]!) };
  }

  /** No step was applied yet, and every one may be. */
  reset(): void {
    fill(1, this.#numbers.flag);
    fill(0, this.#numbers.applied);
  }

  [Symbol.dispose](): void {
    for (const matrix of Object.values(this.#numbers)) matrix[Symbol.dispose]();
    this.#row[Symbol.dispose]();
  }
}

/** a = min(a, b), by way of `scratch`; NaN when either is. */
function minimum(a: Matrix, b: Matrix, scratch: Matrix): void {
  binary('subtract', a, b, scratch);
  unary('relu', scratch, scratch);
  binary('subtract', a, scratch, a);
}
