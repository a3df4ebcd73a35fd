/**
 * What the factored layer replaces: the same loss and the same exact SGD with W stored and all D outputs computed, by
 * blocks of classes on the same backend. Three products of 2mDd. The outputs of all blocks are kept between the two
 * passes, mD numbers; without them (`keepOutputs: false`) they are computed twice, a fourth product, and nothing with
 * mD numbers exists.
 */
import { Tape } from '@vastmax/autodiff';
import {
  axpy,
  type Backend,
  binary,
  fill,
  gatherRows,
  gemm,
  type Matrix,
  reduce,
  scaleRows,
  scatterAddRows,
  scatterRows,
  Workspace,
} from '@vastmax/linalg-core';
import type { SphericalLoss } from '@vastmax/spherical-losses';
import { ClassBlocks } from './class-blocks.ts';
import { lossCoefficients, type LossCoefficients } from './loss-coefficients.ts';

export interface DenseSphericalOptions {
  readonly classes: number;
  readonly width: number;
  readonly loss: SphericalLoss;
  readonly initialRows: (first: number, count: number) => ArrayLike<number>;
  readonly keepOutputs: boolean;
}

export interface DenseResult {
  /** m×1. */
  readonly losses: Matrix;
  /** m×d, of the mean loss. */
  readonly hiddenGradient: Matrix;
}

export class DenseSphericalLayer implements Disposable {
  readonly blocks: ClassBlocks;
  readonly #options: DenseSphericalOptions;
  readonly #workspace: Workspace;
  readonly #lossWorkspace: Workspace;
  readonly #tape: Tape;

  constructor(backend: Backend, options: DenseSphericalOptions) {
    this.#options = options;
    this.blocks = new ClassBlocks(backend, options);
    this.#workspace = new Workspace(backend);
    this.#lossWorkspace = new Workspace(backend);
    this.#tape = new Tape(backend);
  }

  /** One step; `targetClasses` holds one class an example. The result holds until the next step. */
  step(hidden: Matrix, targetClasses: Int32Array, learningRate: number): DenseResult {
    const { classes, loss } = this.#options;
    this.blocks.assign(targetClasses);
    const sums = this.#sumOutputs(hidden);
    const coefficients = lossCoefficients(this.#tape, this.#lossWorkspace, loss, classes, sums);
    const hiddenGradient = this.#workspace.matrix('hidden gradient', hidden.rows, hidden.columns);
    fill(0, hiddenGradient);
    for (let block = 0; block < this.blocks.weights.length; block++)
      this.#update(block, hidden, coefficients, learningRate, hiddenGradient);
    return { losses: coefficients.losses, hiddenGradient };
  }

  #sumOutputs(hidden: Matrix): { squares: Matrix; sum: Matrix; targetOutput: Matrix } {
    const column = (name: string): Matrix => this.#workspace.matrix(name, hidden.rows, 1);
    const squares = column('squares');
    const sum = column('sum');
    const part = column('part');
    const targetOutput = column('target output');
    fill(0, squares);
    fill(0, sum);
    for (let block = 0; block < this.blocks.weights.length; block++) {
      const outputs = this.#computeOutputs(block, hidden);
      reduce('sumSquares', outputs, part);
      axpy(1, part, squares);
      reduce('sum', outputs, part);
      axpy(1, part, sum);
      const targets = this.blocks.targets(block);
      if (targets === undefined) continue;
      const { rows, columns } = outputs;
      const picked = this.#workspace.matrix('picked', targets.places.count, 1);
      gatherRows(outputs.resize(rows * columns, 1), targets.places, picked);
      outputs.resize(rows, columns);
      scatterRows(picked, targets.examples, targetOutput);
    }
    return { squares, sum, targetOutput };
  }

  #update(
    block: number,
    hidden: Matrix,
    { factor, shift, atTarget }: LossCoefficients,
    learningRate: number,
    hiddenGradient: Matrix,
  ): void {
    const weights = this.blocks.weights[block]!;
    const gradient = this.#options.keepOutputs
      ? this.blocks.outputs(block, hidden.rows)
      : this.#computeOutputs(block, hidden);
    scaleRows(gradient, factor, gradient);
    binary('add', gradient, shift, gradient);
    const targets = this.blocks.targets(block);
    if (targets !== undefined) {
      const { rows, columns } = gradient;
      const picked = this.#workspace.matrix('picked', targets.places.count, 1);
      gatherRows(atTarget, targets.examples, picked);
      scatterAddRows(picked, targets.places, gradient.resize(rows * columns, 1));
      gradient.resize(rows, columns);
    }
    gemm(gradient, weights, hiddenGradient, { beta: 1 });
    gemm(gradient, hidden, weights, { transposeA: true, alpha: -learningRate, beta: 1 });
  }

  #computeOutputs(block: number, hidden: Matrix): Matrix {
    const outputs = this.blocks.outputs(block, hidden.rows);
    gemm(hidden, this.blocks.weights[block]!, outputs, { transposeB: true });
    return outputs;
  }

  [Symbol.dispose](): void {
    this.blocks[Symbol.dispose]();
    this.#workspace[Symbol.dispose]();
    this.#lossWorkspace[Symbol.dispose]();
    this.#tape[Symbol.dispose]();
  }
}
