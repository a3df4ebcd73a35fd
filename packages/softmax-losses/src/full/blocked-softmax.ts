/**
 * Log-softmax over all rows of a table, in blocks of rows, so that no m×D matrix is ever stored. Two passes:
 *
 *     forward  for each block: logits o = H Wᵀ, their maximum and Σ exp(o − maximum); log Z from all blocks
 *     update   for each block: o again, G = factor·(A exp(o − log Z) − y'), ∇H += G W, and W changed by Gᵀ H
 *
 * With label smoothing ε (C. Szegedy et al., arXiv:1512.00567 §7) and class weights w the loss is −Σ_k w_k y'_k log p_k
 * for y' = (1 − ε) y + ε T/D, T = Σ y, and A = Σ_k w_k y'_k.
 *
 * Accuracy: the maxima and sums of the blocks are stored separately, m×(D/block), and combined once. Each sum
 * accumulates in f64 inside the backend's reduction and is rounded once, and the combination is one more f64 sum; so
 * log Z is as accurate as f32 allows for any D. A running sum was rejected because it rounds once per block. Computing
 * the logits twice costs 8mDd operations; keeping them would cost 6mDd. They are kept if all rows are one block.
 */
import {
  affine,
  axpy,
  binary,
  copyColumns,
  gatherRows,
  gemm,
  reduce,
  rowDot,
  scaleRows,
  scatterAddRows,
  unary,
  write,
  type Indices,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { ClassTable } from '../class-table/class-table.ts';
import type { TargetList } from '../layer/target-list.ts';
import { BlockTargets, TargetShares } from './block-targets.ts';

export interface BlockedSoftmaxOptions {
  /** ε; default 0. */
  readonly labelSmoothing?: number;
  /** One weight for each row; default all 1. */
  readonly classWeights?: ArrayLike<number>;
  /** Rows in a block; default 1024. */
  readonly blockRows?: number;
  /** All rows are one block if their logits, m×rows, are at most so many numbers; default 0. */
  readonly keptLogits?: number;
}

const defaultBlockRows = 1024;

export class BlockedSoftmax implements Disposable {
  readonly table: ClassTable;
  readonly #workspace: Workspace;
  readonly #name: string;
  readonly #blockRows: number;
  readonly #keptLogits: number;
  readonly #shares: TargetShares;
  readonly #blockTargets = new BlockTargets();
  #host: Float64Array = new Float64Array(0);

  constructor(table: ClassTable, workspace: Workspace, options: BlockedSoftmaxOptions = {}) {
    const { labelSmoothing = 0, classWeights, blockRows = defaultBlockRows, keptLogits = 0 } = options;
    this.table = table;
    this.#workspace = workspace;
    this.#name = `${table.name} softmax`;
    this.#blockRows = Math.min(blockRows, table.rows);
    this.#keptLogits = keptLogits;
    this.#shares = new TargetShares(table, labelSmoothing, classWeights);
  }

  /**
   * m×1 losses; weights do not change. 2mDd operations.
   * @param hidden m×width, with the bias feature. @param name of the workspace's matrix for the losses.
   */
  forward(hidden: Matrix, targets: TargetList, name = 'losses'): Matrix {
    this.#shares.measure(targets);
    return this.#losses(hidden, targets, this.logPartition(hidden), name);
  }

  /**
   * log Z = log Σ_k exp(o_k) of each example, m×1. Valid until the next call. 2mDd operations.
   * @param hidden m×width, with the bias feature.
   */
  logPartition(hidden: Matrix): Matrix {
    const m = hidden.rows;
    const blocks = this.#blocksFor(m);
    const maxima = this.#matrix('maxima', m, blocks);
    const sums = this.#matrix('sums', m, blocks);
    const smoothed = this.#shares.smoothing > 0 ? this.#matrix('smoothed', m, blocks) : undefined;
    const column = this.#matrix('column', m, 1);
    for (let block = 0; block < blocks; block++) {
      const { logits, range } = this.#block(hidden, block, blocks);
      if (smoothed !== undefined) {
        this.#weightedSum(logits, range, column);
        copyColumns(column, 0, smoothed, block, 1);
      }
      reduce('maximum', logits, column);
      copyColumns(column, 0, maxima, block, 1);
      binary('subtract', logits, column, logits);
      unary('exp', logits, logits);
      reduce('sum', logits, column);
      copyColumns(column, 0, sums, block, 1);
    }
    const total = this.#matrix('total', m, 1);
    const result = this.#matrix('log partition', m, 1);
    reduce('maximum', maxima, column);
    binary('subtract', maxima, column, maxima);
    unary('exp', maxima, maxima);
    binary('multiply', sums, maxima, sums);
    reduce('sum', sums, total);
    unary('log', total, result);
    binary('add', result, column, result);
    return result;
  }

  /**
   * Adds the hidden gradient, computed from the old weights, and updates the weights. Call it after `forward` with the
   * same arguments. 6mDd operations.
   * @param factors the factor of each example's loss in the reduced loss.
   * @param hiddenGradient m×width; added to.
   */
  update(
    hidden: Matrix,
    targets: TargetList,
    factors: Float64Array,
    hiddenGradient: Matrix,
    { learningRate, step }: { readonly learningRate: number; readonly step: number },
  ): void {
    const m = hidden.rows;
    const blocks = this.#blocksFor(m);
    const { smoothing, amounts: shares, spreads, weighted } = this.#shares;
    const amounts = this.#column('amounts', m, (example) => factors[example]! * shares[example]!);
    const spread =
      smoothing > 0 ? this.#column('spread', m, (example) => factors[example]! * spreads[example]!) : undefined;
    // A single block still holds exp(o − maximum); only the division by Σ is missing.
    if (blocks === 1) binary('divide', amounts, this.#matrix('total', m, 1), amounts);
    this.#blockTargets.sort(targets, (entry) => -factors[targets.rows[entry]!]! * weighted[entry]!);
    for (let block = 0; block < blocks; block++) {
      const { logits, rows, range, first } = blocks === 1 ? this.#kept(m) : this.#block(hidden, block, blocks);
      if (blocks > 1) {
        binary('subtract', logits, this.#matrix('log partition', m, 1), logits);
        unary('exp', logits, logits);
      }
      scaleRows(logits, amounts, logits);
      if (spread !== undefined) this.#subtractSpread(spread, range, logits);
      this.#blockTargets.addTo(logits, first, this.#workspace, this.#name);
      gemm(logits, rows, hiddenGradient, { beta: 1 });
      const change = this.#matrix('change', range.count, this.table.width);
      gemm(logits, hidden, change, { transposeA: true });
      this.table.updateDistinct(range, change, learningRate, step);
    }
  }

  [Symbol.dispose](): void {
    this.#shares[Symbol.dispose]();
  }

  #blocksFor(m: number): number {
    return m * this.table.rows <= this.#keptLogits ? 1 : Math.ceil(this.table.rows / this.#blockRows);
  }

  /** The rows and logits of one block. */
  #block(hidden: Matrix, block: number, blocks: number): Block {
    const first = block * this.#blockRows;
    const count = blocks === 1 ? this.table.rows : Math.min(this.#blockRows, this.table.rows - first);
    const range = this.table.range(first, count, `${this.#name} range`);
    const rows = this.#matrix('rows', count, this.table.width);
    this.table.gather(range, rows);
    const logits = this.#matrix('logits', hidden.rows, count);
    gemm(hidden, rows, logits, { transposeB: true });
    return { first, rows, range, logits };
  }

  /** The only block as `logPartition` left it. */
  #kept(m: number): Block {
    const { rows: count, width } = this.table;
    return {
      first: 0,
      rows: this.#matrix('rows', count, width),
      range: this.table.range(0, count, `${this.#name} range`),
      logits: this.#matrix('logits', m, count),
    };
  }

  #losses(hidden: Matrix, targets: TargetList, logPartition: Matrix, name: string): Matrix {
    const { count } = targets;
    const { width } = this.table;
    const losses = this.#matrix(name, hidden.rows, 1);
    // 0·log Z rather than 0: it is NaN if an output is not finite, also for an example without targets.
    affine(logPartition, 0, 0, losses);
    const examples = this.#workspace.indices(`${this.#name} target examples`, targets.rows, count);
    const targetRows = this.#matrix('target rows', count, width);
    this.table.gather(this.#workspace.indices(`${this.#name} target classes`, targets.classes, count), targetRows);
    const targetHidden = this.#matrix('target hidden', count, width);
    gatherRows(hidden, examples, targetHidden);
    const outputs = this.#matrix('target outputs', count, 1);
    rowDot(targetRows, targetHidden, outputs);
    const surprisals = this.#matrix('surprisals', count, 1);
    gatherRows(logPartition, examples, surprisals);
    binary('subtract', surprisals, outputs, surprisals);
    binary(
      'multiply',
      surprisals,
      this.#column('target weights', count, (entry) => this.#shares.weighted[entry]!),
      surprisals,
    );
    scatterAddRows(surprisals, examples, losses);
    if (this.#shares.smoothing > 0) this.#addSmoothedLosses(hidden.rows, logPartition, losses);
    return losses;
  }

  /** losses += εT/D (log Z Σ_k w_k − Σ_k w_k o_k). */
  #addSmoothedLosses(m: number, logPartition: Matrix, losses: Matrix): void {
    const outputSum = this.#matrix('output sum', m, 1);
    reduce('sum', this.#matrix('smoothed', m, this.#blocksFor(m)), outputSum);
    const all = this.#matrix('smoothed losses', m, 1);
    affine(logPartition, this.#shares.weightSum, 0, all);
    binary('subtract', all, outputSum, all);
    binary(
      'multiply',
      all,
      this.#column('spread', m, (example) => this.#shares.spreads[example]!),
      all,
    );
    axpy(1, all, losses);
  }

  /** out = Σ_k w_k o_k over the rows of a block. */
  #weightedSum(logits: Matrix, range: Indices, out: Matrix): void {
    const weights = this.#shares.weightsOf(range, this.#workspace, this.#name);
    if (weights === undefined) reduce('sum', logits, out);
    else gemm(logits, weights, out);
  }

  /** logits −= spread·wᵀ, the part of y' that is spread over all classes. */
  #subtractSpread(spread: Matrix, range: Indices, logits: Matrix): void {
    const weights = this.#shares.weightsOf(range, this.#workspace, this.#name);
    if (weights === undefined) binary('subtract', logits, spread, logits);
    else gemm(spread, weights, logits, { transposeB: true, alpha: -1, beta: 1 });
  }

  #column(name: string, count: number, value: (i: number) => number): Matrix {
    if (this.#host.length < count) this.#host = new Float64Array(Math.ceil(count * 1.5));
    for (let i = 0; i < count; i++) this.#host[i] = value(i);
    const column = this.#matrix(name, count, 1);
    write(this.#host.subarray(0, count), column);
    return column;
  }

  #matrix(what: string, rows: number, columns: number): Matrix {
    return this.#workspace.matrix(`${this.#name} ${what}`, rows, columns);
  }
}

interface Block {
  /** First row of the block. */
  readonly first: number;
  /** count×width. */
  readonly rows: Matrix;
  readonly range: Indices;
  /** m×count. */
  readonly logits: Matrix;
}
