/**
 * A spherical loss and its three gradients for one minibatch: α = ∂L/∂q and β = ∂L/∂s (m×1), γ = ∂L/∂o (P×1), each already times the
 * target's weight, the example's weight and the reduction's factor. The expression is recorded on a tape, so a user's own loss gets
 * its gradient the same way as a built-in one.
 */
import { gatherRows as gatherVariable, Tape, type Variable } from '@vastmax/autodiff';
import {
  axpy,
  binary,
  copy,
  fill,
  scatterAddRows,
  write,
  type Backend,
  type Indices,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { SphericalLoss } from '../loss.ts';
import type { TargetPairs } from './target-pairs.ts';

export interface LossInputs {
  /** m×1. */
  readonly q: Matrix;
  /** m×1. */
  readonly s: Matrix;
  /** P×1. */
  readonly outputs: Matrix;
  /** P×1, or undefined for a loss without class constants. */
  readonly constants: Matrix | undefined;
  readonly constantSum: number;
  readonly pairs: TargetPairs;
  /** Example of each pair. */
  readonly pairRows: Indices;
  readonly classes: number;
}

export interface LossGradients {
  readonly losses: Matrix;
  readonly alpha: Matrix;
  readonly beta: Matrix;
  readonly gamma: Matrix;
}

export class LossEvaluation implements Disposable {
  readonly #loss: SphericalLoss;
  readonly #tape: Tape;
  readonly #workspace: Workspace;
  #seeds: Float64Array = new Float64Array(0);
  #pairSeeds: Float64Array = new Float64Array(0);

  constructor(backend: Backend, loss: SphericalLoss, workspace: Workspace) {
    this.#loss = loss;
    this.#tape = new Tape(backend);
    this.#workspace = workspace;
  }

  /** m×1, each example's loss. */
  computeLosses(inputs: LossInputs): Matrix {
    this.#tape.reset();
    const { q, s, outputs } = inputs;
    return this.#record(inputs, this.#tape.constant(q), this.#tape.constant(s), this.#tape.constant(outputs)).losses;
  }

  /**
   * @param exampleFactor what each example's loss is multiplied by in the reduced loss: 1/m for a mean.
   */
  computeGradients(inputs: LossInputs, exampleFactor: number, exampleWeights: ArrayLike<number> | undefined): LossGradients {
    const { pairs } = inputs;
    const tape = this.#tape;
    tape.reset();
    const q = tape.variable(inputs.q);
    const s = tape.variable(inputs.s);
    const outputs = tape.variable(inputs.outputs);
    const { losses, perTarget, perExample } = this.#record(inputs, q, s, outputs);
    this.#fillSeeds(pairs, exampleFactor, exampleWeights);
    if (perTarget !== undefined) {
      tape.backward(perTarget, this.#written('loss pair seeds', this.#pairSeeds, pairs.count));
    }
    if (perExample !== undefined) {
      tape.backward(perExample, this.#written('loss seeds', this.#seeds, pairs.examples));
    }
    return {
      losses,
      alpha: this.#gradient('loss alpha', q, pairs.examples),
      beta: this.#gradient('loss beta', s, pairs.examples),
      gamma: this.#gradient('loss gamma', outputs, pairs.count),
    };
  }

  #record(
    inputs: LossInputs,
    q: Variable,
    s: Variable,
    outputs: Variable,
  ): { losses: Matrix; perTarget: Variable | undefined; perExample: Variable | undefined } {
    const { pairs, pairRows, classes, constantSum } = inputs;
    const losses = this.#workspace.matrix('loss values', pairs.examples, 1);
    fill(0, losses);
    let perTarget: Variable | undefined;
    if (pairs.count > 0) {
      const weights = this.#written('loss weights', pairs.weights, pairs.count);
      perTarget = this.#loss.perTarget({
        q: gatherVariable(q, pairRows),
        s: gatherVariable(s, pairRows),
        output: outputs,
        weight: this.#tape.constant(weights),
        classes,
        constant: inputs.constants === undefined ? undefined : this.#tape.constant(inputs.constants),
        constantSum,
      });
      const weighted = this.#workspace.matrix('loss weighted', pairs.count, 1);
      binary('multiply', perTarget.value, weights, weighted);
      scatterAddRows(weighted, pairRows, losses);
    }
    const perExample = this.#loss.perExample?.({ q, s, classes });
    if (perExample !== undefined) axpy(1, perExample.value, losses);
    return { losses, perTarget, perExample };
  }

  #fillSeeds(pairs: TargetPairs, exampleFactor: number, exampleWeights: ArrayLike<number> | undefined): void {
    if (this.#seeds.length < pairs.examples) this.#seeds = new Float64Array(Math.ceil(pairs.examples * 1.5));
    if (this.#pairSeeds.length < pairs.count) this.#pairSeeds = new Float64Array(Math.ceil(pairs.count * 1.5));
    for (let example = 0; example < pairs.examples; example++) {
      this.#seeds[example] = exampleFactor * (exampleWeights === undefined ? 1 : exampleWeights[example]!);
    }
    for (let pair = 0; pair < pairs.count; pair++) {
      this.#pairSeeds[pair] = this.#seeds[pairs.rows[pair]!]! * pairs.weights[pair]!;
    }
  }

  #written(name: string, values: Float64Array, count: number): Matrix {
    const matrix = this.#workspace.matrix(name, count, 1);
    write(values.subarray(0, count), matrix);
    return matrix;
  }

  /** The gradient in a matrix that outlives the tape's step, zero where the loss does not depend on the variable. */
  #gradient(name: string, variable: Variable, rows: number): Matrix {
    const out = this.#workspace.matrix(name, rows, 1);
    if (variable.gradient === undefined) fill(0, out);
    else copy(variable.gradient, out);
    return out;
  }

  [Symbol.dispose](): void {
    this.#tape[Symbol.dispose]();
  }
}
