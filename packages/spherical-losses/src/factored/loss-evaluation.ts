/**
 * A spherical loss and its three gradients for one minibatch: α = ∂L/∂r and β = ∂L/∂s (m×1), γ = ∂L/∂o (P×1), where r =
 * q − s²/D takes q's place as the variable, so that β is the derivative at a fixed variance of the outputs. Each is
 * already times the target's weight, the example's weight and the reduction's factor. The expression is recorded on a
 * tape, so a user's own loss gets its gradient the same way as a built-in one.
 */
import { add, gatherRows as gatherVariable, scale, square, Tape, type Variable } from '@vastmax/autodiff';
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
  /** r = Σ(o − μ)², m×1. */
  readonly squaredDeviations: Matrix;
  /** s = Σo, m×1. */
  readonly outputSum: Matrix;
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
    const { squaredDeviations, outputSum, outputs } = inputs;
    const tape = this.#tape;
    return this.#record(inputs, tape.constant(squaredDeviations), tape.constant(outputSum), tape.constant(outputs))
      .losses;
  }

  /**
   * @param exampleFactor what each example's loss is multiplied by in the reduced loss: 1/m for a mean.
   */
  computeGradients(
    inputs: LossInputs,
    exampleFactor: number,
    exampleWeights: ArrayLike<number> | undefined,
  ): LossGradients {
    const { pairs } = inputs;
    const tape = this.#tape;
    tape.reset();
    const r = tape.variable(inputs.squaredDeviations);
    const s = tape.variable(inputs.outputSum);
    const outputs = tape.variable(inputs.outputs);
    const { losses, perTarget, perExample } = this.#record(inputs, r, s, outputs);
    this.#fillSeeds(pairs, exampleFactor, exampleWeights);
    if (perTarget !== undefined) {
      tape.backward(perTarget, this.#written('loss pair seeds', this.#pairSeeds, pairs.count));
    }
    if (perExample !== undefined) {
      tape.backward(perExample, this.#written('loss seeds', this.#seeds, pairs.examples));
    }
    return {
      losses,
      alpha: this.#gradient('loss alpha', r, pairs.examples),
      beta: this.#gradient('loss beta', s, pairs.examples),
      gamma: this.#gradient('loss gamma', outputs, pairs.count),
    };
  }

  #record(
    inputs: LossInputs,
    r: Variable,
    s: Variable,
    outputs: Variable,
  ): { losses: Matrix; perTarget: Variable | undefined; perExample: Variable | undefined } {
    const { pairs, pairRows, classes, constantSum } = inputs;
    const losses = this.#workspace.matrix('loss values', pairs.examples, 1);
    // Made when a loss asks for it: each tape operation is a kernel call.
    let product: Variable | undefined;
    const q = (): Variable => (product ??= add(r, scale(square(s), 1 / classes)));
    // An example's value for each of its pairs.
    const ofPairs = (variable: Variable): Variable => (pairs.isOneEach ? variable : gatherVariable(variable, pairRows));
    let perTarget: Variable | undefined;
    if (pairs.count === 0) fill(0, losses);
    else {
      const weights = this.#written('loss weights', pairs.weights, pairs.count);
      perTarget = this.#loss.perTarget({
        get q() {
          return ofPairs(q());
        },
        s: ofPairs(s),
        squaredDeviations: ofPairs(r),
        output: outputs,
        weight: this.#tape.constant(weights),
        classes,
        constant: inputs.constants === undefined ? undefined : this.#tape.constant(inputs.constants),
        constantSum,
      });
      if (pairs.isOneEach) binary('multiply', perTarget.value, weights, losses);
      else {
        const weighted = this.#workspace.matrix('loss weighted', pairs.count, 1);
        binary('multiply', perTarget.value, weights, weighted);
        fill(0, losses);
        scatterAddRows(weighted, pairRows, losses);
      }
    }
    const perExample = this.#loss.perExample?.({
      get q() {
        return q();
      },
      s,
      squaredDeviations: r,
      classes,
    });
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
