/**
 * The log-softmax with dense SGD, −log softmax(o)_c, by blocks of classes: the loss that a language model would use if
 * D allowed it. While a block's outputs are in the cache they become exp(o − the block's maximum); the blocks' maxima
 * and sums then give each block the one factor that makes them probabilities (the online softmax of M. Milakov and N.
 * Gimelshein, arXiv:1805.02867). Three products of 2mDd.
 */
import {
  axpy,
  type Backend,
  binary,
  copyColumns,
  fill,
  gatherRows,
  gemm,
  type Matrix,
  reduce,
  rowDot,
  scaleRows,
  scatterAddRows,
  scatterRows,
  unary,
  Workspace,
} from '@vastmax/linalg-core';
import { ClassBlocks } from './class-blocks.ts';
import type { DenseResult } from './dense-spherical-layer.ts';

export interface DenseSoftmaxOptions {
  readonly classes: number;
  readonly width: number;
  readonly initialRows: (first: number, count: number) => ArrayLike<number>;
}

export class DenseSoftmaxLayer implements Disposable {
  readonly blocks: ClassBlocks;
  readonly #workspace: Workspace;

  constructor(backend: Backend, options: DenseSoftmaxOptions) {
    this.blocks = new ClassBlocks(backend, { ...options, keepOutputs: true });
    this.#workspace = new Workspace(backend);
  }

  /** One step; `targetClasses` holds one class an example. The result holds until the next step. */
  step(hidden: Matrix, targetClasses: Int32Array, learningRate: number): DenseResult {
    const m = hidden.rows;
    const count = this.blocks.weights.length;
    const column = (name: string): Matrix => this.#workspace.matrix(name, m, 1);
    this.blocks.assign(targetClasses);
    const factors = this.#workspace.matrix('block maxima', m, count);
    const sums = this.#workspace.matrix('block sums', m, count);
    const targetOutput = column('target output');
    for (let block = 0; block < count; block++) this.#exponentiate(block, hidden, factors, sums, targetOutput);

    // Per block: exp(its maximum − the maximum of all), and the sum of all exponentials.
    const maximum = column('maximum');
    const total = column('total');
    reduce('maximum', factors, maximum);
    binary('subtract', factors, maximum, factors);
    unary('exp', factors, factors);
    rowDot(sums, factors, total);
    const losses = column('losses');
    unary('log', total, losses);
    axpy(1, maximum, losses);
    axpy(-1, targetOutput, losses);
    binary('divide', factors, total, factors);

    const hiddenGradient = this.#workspace.matrix('hidden gradient', m, hidden.columns);
    fill(0, hiddenGradient);
    for (let block = 0; block < count; block++) this.#update(block, hidden, factors, learningRate, hiddenGradient);
    return { losses, hiddenGradient };
  }

  #exponentiate(block: number, hidden: Matrix, maxima: Matrix, sums: Matrix, targetOutput: Matrix): void {
    const outputs = this.blocks.outputs(block, hidden.rows);
    gemm(hidden, this.blocks.weights[block]!, outputs, { transposeB: true });
    const targets = this.blocks.targets(block);
    if (targets !== undefined) {
      const { rows, columns } = outputs;
      const picked = this.#workspace.matrix('picked', targets.places.count, 1);
      gatherRows(outputs.resize(rows * columns, 1), targets.places, picked);
      outputs.resize(rows, columns);
      scatterRows(picked, targets.examples, targetOutput);
    }
    const part = this.#workspace.matrix('part', hidden.rows, 1);
    reduce('maximum', outputs, part);
    copyColumns(part, 0, maxima, block, 1);
    binary('subtract', outputs, part, outputs);
    unary('exp', outputs, outputs);
    reduce('sum', outputs, part);
    copyColumns(part, 0, sums, block, 1);
  }

  #update(block: number, hidden: Matrix, factors: Matrix, learningRate: number, hiddenGradient: Matrix): void {
    const weights = this.blocks.weights[block]!;
    const gradient = this.blocks.outputs(block, hidden.rows);
    const part = this.#workspace.matrix('part', hidden.rows, 1);
    copyColumns(factors, block, part, 0, 1);
    scaleRows(gradient, part, gradient);
    const targets = this.blocks.targets(block);
    if (targets !== undefined) {
      const { rows, columns } = gradient;
      const ones = this.#workspace.matrix('picked', targets.places.count, 1);
      fill(1, ones);
      scatterAddRows(ones, targets.places, gradient.resize(rows * columns, 1), { scale: -1 });
      gradient.resize(rows, columns);
    }
    // Of the mean loss: the 1/m goes into the products.
    gemm(gradient, weights, hiddenGradient, { alpha: 1 / hidden.rows, beta: 1 });
    gemm(gradient, hidden, weights, { transposeA: true, alpha: -learningRate / hidden.rows, beta: 1 });
  }

  [Symbol.dispose](): void {
    this.blocks[Symbol.dispose]();
    this.#workspace[Symbol.dispose]();
  }
}
