/**
 * From the outputs to the gradients: the loss with its three derivatives, and their back-propagation, all with the old
 * weights.
 *
 * α = ∂L/∂r and β = ∂L/∂s (m×1), γ = ∂L/∂o (P×1), where r = q − s²/D takes q's place as the variable, so that β is the
 * derivative at a fixed variance of the outputs. Each is already times the target's weight, the example's weight and
 * the reduction's factor. The expression is recorded on a tape, so a user's own loss gets its gradient the same way as
 * a built-in one. The gradient with respect to the outputs is g = 2α(o − μ1) + β1 + γ, so
 *
 *     y = Γ1     Z = (ΓV)U + yωᵀ = ΓW     ∇H = 2 diag(α) H C + βw̄ᵀ + Z
 *
 * and its centred part, g − (1ᵀg/D)1, which is all that the centred Gram matrix sees, back-propagates to 2 diag(α) H C
 * + Z_c with Z_c = Z − y w̄ᵀ/D.
 */
import { add, gatherRows as gatherVariable, scale, square, Tape, type Variable } from '@vastmax/autodiff';
import {
  affine,
  axpy,
  binary,
  copy,
  fill,
  gatherRows,
  gemm,
  scaleRows,
  scatterAddRows,
  write,
  type Backend,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import { checkExpression } from '../losses/check-loss.ts';
import type { SphericalLoss } from '../losses/loss.ts';
import type { ClassConstants } from './class-scores.ts';
import type { FactoredWeights } from './factored-weights.ts';
import type { ForwardPass, TargetPairs } from './forward-pass.ts';

export interface LossGradients {
  /** m×1. */
  readonly losses: Matrix;
  readonly alpha: Matrix;
  readonly beta: Matrix;
  readonly gamma: Matrix;
}

/** The values that a loss is evaluated on. */
export interface LossInputs {
  readonly forward: ForwardPass;
  readonly pairs: TargetPairs;
  /** D. */
  readonly classes: number;
  /** Undefined for a loss without class constants. */
  readonly constants: ClassConstants | undefined;
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

  /** m×1, each example's loss. @param name of the workspace's matrix. */
  computeLosses(inputs: LossInputs, name: string): Matrix {
    this.#tape.reset();
    const { squaredDeviations, outputSum, outputs } = inputs.forward;
    const tape = this.#tape;
    const losses = this.#workspace.matrix(name, inputs.pairs.examples, 1);
    this.#record(inputs, tape.constant(squaredDeviations), tape.constant(outputSum), tape.constant(outputs), losses);
    return losses;
  }

  /**
   * @param exampleFactor what each example's loss is multiplied by in the reduced loss: 1/m for a mean.
   */
  computeGradients(
    inputs: LossInputs,
    exampleFactor: number,
    exampleWeights: ArrayLike<number> | undefined,
  ): LossGradients {
    const { forward, pairs } = inputs;
    const tape = this.#tape;
    tape.reset();
    const r = tape.variable(forward.squaredDeviations);
    const s = tape.variable(forward.outputSum);
    const outputs = tape.variable(forward.outputs);
    const losses = this.#workspace.matrix('loss values', pairs.examples, 1);
    const { perTarget, perExample } = this.#record(inputs, r, s, outputs, losses);
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
    losses: Matrix,
  ): { perTarget: Variable | undefined; perExample: Variable | undefined } {
    const { forward, pairs, classes, constants } = inputs;
    const { pairRows } = forward;
    // Computed only if a loss uses it: each tape operation is a kernel call.
    let product: Variable | undefined;
    const q = (): Variable => (product ??= add(r, scale(square(s), 1 / classes)));
    // Repeats an example's value for each of its pairs.
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
        constant: constants === undefined ? undefined : this.#pairConstants(constants, pairs),
        constantSum: constants?.sum ?? 0,
      });
      checkExpression(this.#loss.name, 'perTarget', perTarget, pairs.count, 1);
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
    if (this.#loss.perExample !== undefined) {
      checkExpression(this.#loss.name, 'perExample', perExample, pairs.examples, 1);
      axpy(1, perExample.value, losses);
    }
    return { perTarget, perExample };
  }

  #pairConstants({ table }: ClassConstants, pairs: TargetPairs): Variable {
    const values = this.#workspace.matrix('pair constants', pairs.count, 1);
    gatherRows(table, this.#workspace.indices('pair classes', pairs.pairClasses, pairs.count), values);
    return this.#tape.constant(values);
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

  /**
   * The gradient in a matrix that is kept after the tape's step; zero where the loss does not depend on the variable.
   */
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

export interface BackwardPass {
  /** diag(α) H, m×d. */
  readonly alphaHidden: Matrix;
  /** y, m×1. */
  readonly gammaSum: Matrix;
  /** Z_c, m×d: the sparse part, centred. */
  readonly centredSparse: Matrix;
  /** Z_c + diag(α) H C, m×d. */
  readonly halfGradient: Matrix;
  /** Z_c + 2 diag(α) H C, m×d: what the centred part of the output gradient back-propagates to. */
  readonly centredGradient: Matrix;
  /** ∇H, m×d. */
  readonly hiddenGradient: Matrix;
}

/** Each line is one pass over m×d numbers; intermediate results that the update needs are kept. */
export function backwardPass(
  workspace: Workspace,
  weights: Pick<FactoredWeights, 'columnSum' | 'map' | 'shift'>,
  { forward, pairs, classes }: LossInputs,
  gradients: LossGradients,
): BackwardPass {
  const { rows: m, columns: d } = forward.hidden;
  const { alpha, beta, gamma } = gradients;

  const gammaSum = sumOfPairs(workspace, 'gamma sum', gamma, forward, pairs);
  const weighted = workspace.matrix('gamma times class rows by pair', pairs.count, d);
  scaleRows(forward.pairClassRows, gamma, weighted);
  const sparse = sumOfPairs(workspace, 'gamma times class rows', weighted, forward, pairs);
  const centring = workspace.matrix('centring', 1, d);
  affine(weights.columnSum, -1 / classes, 0, centring);
  let centredSparse = sparse;
  if (forward.projected !== undefined) {
    // The value here is ΓV.
    centredSparse = workspace.matrix('centred sparse part', m, d);
    gemm(sparse, weights.map, centredSparse);
    axpy(1, weights.shift, centring);
  }
  gemm(gammaSum, centring, centredSparse, { beta: 1 });

  const alphaProduct = workspace.matrix('alpha product', m, d);
  const halfGradient = workspace.matrix('half gradient', m, d);
  const centredGradient = workspace.matrix('centred gradient', m, d);
  scaleRows(forward.product, alpha, alphaProduct);
  binary('add', centredSparse, alphaProduct, halfGradient);
  binary('add', halfGradient, alphaProduct, centredGradient);

  const mean = workspace.matrix('mean gradient', m, 1);
  copy(beta, mean);
  axpy(1 / classes, gammaSum, mean);
  const hiddenGradient = workspace.matrix('hidden gradient', m, d);
  copy(centredGradient, hiddenGradient);
  gemm(mean, weights.columnSum, hiddenGradient, { beta: 1 });
  const alphaHidden = workspace.matrix('alpha hidden', m, d);
  scaleRows(forward.hidden, alpha, alphaHidden);
  return { alphaHidden, gammaSum, centredSparse, halfGradient, centredGradient, hiddenGradient };
}

/** Sums over the pairs of each example; the same matrix when every example has one pair. */
function sumOfPairs(
  workspace: Workspace,
  name: string,
  ofPairs: Matrix,
  forward: ForwardPass,
  pairs: TargetPairs,
): Matrix {
  if (pairs.isOneEach) return ofPairs;
  const sum = workspace.matrix(name, forward.hidden.rows, ofPairs.columns);
  fill(0, sum);
  scatterAddRows(ofPairs, forward.pairRows, sum);
  return sum;
}
