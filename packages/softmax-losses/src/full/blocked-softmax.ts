/**
 * Log-softmax over all rows of a table, in blocks of rows, so that what a block needs stays in the caches:
 *
 *     forward  for each block: logits o = H Wᵀ, M = max o, E = exp(o − M), S = Σ E; log Z from the M and S of all blocks
 *     update   for each block: G = factor·(A·exp(M − log Z)·E − y'), ∇H += G W, and W changed by Gᵀ H
 *
 * With label smoothing ε (C. Szegedy et al., arXiv:1512.00567 §7) and class weights w the loss is −Σ_k w_k y'_k log p_k
 * for y' = (1 − ε) y + ε T/D, T = Σ y, and A = Σ_k w_k y'_k.
 *
 * The E of the first blocks are kept from `forward` to `update`, as many as `keptLogits` numbers hold: a step is then
 * three products. Those of further blocks are computed again, which is the fourth product.
 *
 * Accuracy: the maxima and sums of the blocks are stored separately, m×(D/block), and combined once. Each sum
 * accumulates in f64 inside the backend and is rounded once, and the combination is one more f64 sum; so log Z is as
 * accurate as f32 allows for any D. A running sum was rejected because it rounds once per block.
 */
import {
  affine,
  axpy,
  binary,
  copyColumns,
  exponentiateRows,
  gatherRows,
  gemm,
  reduce,
  rowDot,
  scaleRows,
  scatterAddRows,
  unary,
  write,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { ClassTable } from '../class-table/class-table.ts';
import { RowBlocks } from '../class-table/row-blocks.ts';
import type { TargetList } from '../layer/target-list.ts';
import { BlockTargets, TargetShares } from './block-targets.ts';

export interface BlockedSoftmaxOptions {
  /** ε; default 0. */
  readonly labelSmoothing?: number;
  /** One weight for each row; default all 1. */
  readonly classWeights?: ArrayLike<number>;
  /** Rows in a block; default 1024. */
  readonly blockRows?: number;
  /** Outputs that are kept from `forward` to `update`: at most so many numbers; default 2²⁵, 128 MiB of f32. */
  readonly keptLogits?: number;
}

export interface ForwardOptions {
  /** Of the workspace's matrix for the losses; default `losses`. */
  readonly name?: string;
  /** Whether `update` will follow with the same arguments; else nothing is kept. Default false. */
  readonly keep?: boolean;
}

/** A block's logits at m = 128 are then half a second-level cache. */
const defaultBlockRows = 1024;
const defaultKeptLogits = 2 ** 25;

/** A softmax over all rows of a table, computed in blocks of rows: losses, gradients, scores. */
export class BlockedSoftmax implements Disposable {
  readonly table: ClassTable;
  readonly #rows: number;
  readonly #workspace: Workspace;
  readonly #name: string;
  readonly #blocks: RowBlocks;
  readonly #keptLogits: number;
  /** Names of the workspace's matrices for the kept blocks. */
  readonly #keptNames: string[] = [];
  readonly #shares: TargetShares;
  readonly #blockTargets = new BlockTargets();
  #host: Float64Array = new Float64Array(0);

  constructor(table: ClassTable, workspace: Workspace, options: BlockedSoftmaxOptions = {}) {
    const { labelSmoothing = 0, classWeights, blockRows = defaultBlockRows, keptLogits = defaultKeptLogits } = options;
    this.table = table;
    this.#rows = table.rows;
    this.#workspace = workspace;
    this.#name = `${table.name} softmax`;
    this.#blocks = new RowBlocks(table, blockRows, workspace);
    this.#keptLogits = keptLogits;
    this.#shares = new TargetShares(table, labelSmoothing, classWeights);
  }

  /** Of the table when this was created; once the table has grown, create another. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * m×1 losses; weights do not change. 2mDd operations.
   * @param hidden m×width, with the bias feature.
   */
  forward(hidden: Matrix, targets: TargetList, { name = 'losses', keep = false }: ForwardOptions = {}): Matrix {
    this.#shares.measure(targets);
    return this.#losses(hidden, targets, this.#logPartition(hidden, keep ? this.#keptBlocks(hidden.rows) : 0), name);
  }

  /**
   * log Z = log Σ_k exp(o_k) of each example, m×1. Valid until the next call. 2mDd operations.
   * @param hidden m×width, with the bias feature.
   */
  logPartition(hidden: Matrix): Matrix {
    return this.#logPartition(hidden, 0);
  }

  #logPartition(hidden: Matrix, keptBlocks: number): Matrix {
    const m = hidden.rows;
    const { count } = this.#blocks;
    const maxima = this.#matrix('maxima', m, count);
    const sums = this.#matrix('sums', m, count);
    const smoothed = this.#shares.smoothing > 0 ? this.#matrix('smoothed', m, count) : undefined;
    const maximum = this.#matrix('maximum', m, 1);
    const sum = this.#matrix('sum', m, 1);
    for (let block = 0; block < count; block++) {
      const logits = this.#logits(block, hidden, keptBlocks);
      if (smoothed !== undefined) {
        this.#weightedSum(logits, block, sum);
        copyColumns(sum, 0, smoothed, block, 1);
      }
      exponentiateRows(logits, maximum, sum);
      copyColumns(maximum, 0, maxima, block, 1);
      copyColumns(sum, 0, sums, block, 1);
    }
    const scaled = this.#matrix('scaled sums', m, count);
    const result = this.#matrix('log partition', m, 1);
    reduce('maximum', maxima, maximum);
    binary('subtract', maxima, maximum, scaled);
    unary('exp', scaled, scaled);
    binary('multiply', sums, scaled, scaled);
    reduce('sum', scaled, sum);
    unary('log', sum, result);
    binary('add', result, maximum, result);
    return result;
  }

  /**
   * Adds the hidden gradient, computed from the old weights, and updates the weights. Call it after `forward` with
   * `keep` and the same arguments. 4mDd operations, and 2md for each class whose outputs were not kept.
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
    this.#backward(hidden, targets, factors, hiddenGradient, (block, gradient) => {
      this.#blocks.update(block, gradient, hidden, learningRate, step);
    });
  }

  /**
   * As `update`, but the weights stay: for a sum of gradients over ranks.
   * @param rowGradient rows×width, the gradient of the reduced loss with respect to the rows; replaced.
   */
  computeGradient(
    hidden: Matrix,
    targets: TargetList,
    factors: Float64Array,
    hiddenGradient: Matrix,
    rowGradient: Matrix,
  ): void {
    this.#backward(hidden, targets, factors, hiddenGradient, (block, gradient) => {
      this.#blocks.storeGradient(block, gradient, hidden, rowGradient);
    });
  }

  /** @param use gets the gradient with respect to the outputs of each block, m×count, once its rows have been read. */
  #backward(
    hidden: Matrix,
    targets: TargetList,
    factors: Float64Array,
    hiddenGradient: Matrix,
    use: (block: number, gradient: Matrix) => void,
  ): void {
    const m = hidden.rows;
    const { count } = this.#blocks;
    const { smoothing, amounts: shares, spreads, weighted } = this.#shares;
    const keptBlocks = this.#keptBlocks(m);
    const amounts = this.#column('amounts', m, (example) => factors[example]! * shares[example]!);
    const spread =
      smoothing > 0 ? this.#column('spread', m, (example) => factors[example]! * spreads[example]!) : undefined;
    // What turns the exponentials of a block into gradients: amount·exp(M − log Z).
    const scales = this.#matrix('maxima', m, count);
    binary('subtract', scales, this.#matrix('log partition', m, 1), scales);
    unary('exp', scales, scales);
    scaleRows(scales, amounts, scales);
    const scale = this.#matrix('scale', m, 1);
    this.#blockTargets.sort(targets, (entry) => -factors[targets.rows[entry]!]! * weighted[entry]!);
    for (let block = 0; block < count; block++) {
      const gradient =
        block < keptBlocks ? this.#keptLogitsOf(block, m) : this.#exponentials(block, hidden, keptBlocks);
      copyColumns(scales, block, scale, 0, 1);
      scaleRows(gradient, scale, gradient);
      if (spread !== undefined) this.#subtractSpread(spread, block, gradient);
      this.#blockTargets.addTo(gradient, this.#blocks.firstOf(block), this.#workspace, this.#name);
      gemm(gradient, this.#blocks.read(block), hiddenGradient, { beta: 1 });
      use(block, gradient);
    }
  }

  [Symbol.dispose](): void {
    this.#shares[Symbol.dispose]();
    this.#blocks[Symbol.dispose]();
  }

  /** The logits of how many blocks are kept. */
  #keptBlocks(m: number): number {
    const { count, blockRows, table } = this.#blocks;
    if (m * table.rows <= this.#keptLogits) return count;
    return Math.floor(this.#keptLogits / (m * blockRows));
  }

  #keptLogitsOf(block: number, m: number): Matrix {
    const name = (this.#keptNames[block] ??= `logits ${block}`);
    return this.#matrix(name, m, this.#blocks.rowsIn(block));
  }

  /** o = H Wᵀ of a block, m×count. */
  #logits(block: number, hidden: Matrix, keptBlocks: number): Matrix {
    const m = hidden.rows;
    const logits =
      block < keptBlocks ? this.#keptLogitsOf(block, m) : this.#matrix('logits', m, this.#blocks.rowsIn(block));
    gemm(hidden, this.#blocks.read(block), logits, { transposeB: true });
    return logits;
  }

  /** E of a block that was not kept; its M is the same again. */
  #exponentials(block: number, hidden: Matrix, keptBlocks: number): Matrix {
    const logits = this.#logits(block, hidden, keptBlocks);
    exponentiateRows(logits, this.#matrix('maximum', hidden.rows, 1), this.#matrix('sum', hidden.rows, 1));
    return logits;
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
    reduce('sum', this.#matrix('smoothed', m, this.#blocks.count), outputSum);
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
  #weightedSum(logits: Matrix, block: number, out: Matrix): void {
    const weights = this.#classWeights(block);
    if (weights === undefined) reduce('sum', logits, out);
    else gemm(logits, weights, out);
  }

  /** logits −= spread·wᵀ, the part of y' that is spread over all classes. */
  #subtractSpread(spread: Matrix, block: number, logits: Matrix): void {
    const weights = this.#classWeights(block);
    if (weights === undefined) binary('subtract', logits, spread, logits);
    else gemm(spread, weights, logits, { transposeB: true, alpha: -1, beta: 1 });
  }

  #classWeights(block: number): Matrix | undefined {
    if (!this.#shares.hasWeightTable) return undefined;
    const range = this.table.range(
      this.#blocks.firstOf(block),
      this.#blocks.rowsIn(block),
      `${this.#name} weights range`,
    );
    return this.#shares.weightsOf(range, this.#workspace, this.#name);
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
