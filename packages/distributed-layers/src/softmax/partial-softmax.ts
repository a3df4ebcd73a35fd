/**
 * One rank's part of a log-softmax over classes that are distributed over many ranks, for the examples of all (the
 * vocabulary-parallel cross-entropy of M. Shoeybi et al., arXiv:1909.08053 §3, including the update). In blocks of its
 * own classes:
 *
 *     forward   o = HWᵀ of a block; its maxima and Σ exp(o − maximum); the outputs of the targets that are its own classes
 *               → maximum and sum of each rank, combined on every rank in the order of the ranks: log Z
 *     update    o again, G = factor·(T exp(o − log Z) − y); this rank's part of ∇H is GW, and W changes by GᵀH
 *
 * It sends M·d activations and as many gradients, and 2M + E numbers for log Z: nothing that grows with D.
 */
import {
  binary,
  fill,
  gatherRows,
  gemm,
  read,
  reduce,
  rowDot,
  scaleRows,
  scatterAddRows,
  unary,
  write,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { ClassTable } from '@vastmax/softmax-losses/layer-parts';
import type { Communicator } from '@vastmax/collectives';
import { localRowOf, ownerOf, type RowPartition } from '../rows/row-partition.ts';
import type { ClassRows } from './class-rows.ts';
import type { GlobalBatch } from './global-batch.ts';

export class PartialSoftmax {
  readonly #communicator: Communicator;
  readonly #partition: RowPartition;
  readonly #own: ClassTable;
  readonly #rows: ClassRows;
  readonly #workspace: Workspace;
  readonly #blockRows: number;

  constructor(
    communicator: Communicator,
    partition: RowPartition,
    own: ClassTable,
    rows: ClassRows,
    workspace: Workspace,
    blockRows: number,
  ) {
    this.#communicator = communicator;
    this.#partition = partition;
    this.#own = own;
    this.#rows = rows;
    this.#workspace = workspace;
    this.#blockRows = blockRows;
  }

  /** log Z of every example, and the losses, the same on every rank. A collective. */
  async forward(batch: GlobalBatch): Promise<{ readonly logPartition: Float64Array; readonly losses: Float64Array }> {
    const { examples, count } = batch;
    const { size } = this.#communicator;
    // Values of this rank: maxima, sums, and the outputs of all target entries, 0 for those of other ranks' classes.
    const length = 2 * examples + count;
    const own = new Float64Array(length);
    own.fill(-Infinity, 0, examples);
    await this.#maximaAndSums(batch, own);
    await this.#targetOutputs(batch, own.subarray(2 * examples));
    const all = new Float64Array(length * size);
    this.#communicator.allGather(own, new Int32Array(size).fill(length), all);
    const logPartition = new Float64Array(examples);
    for (let example = 0; example < examples; example++) {
      let maximum = -Infinity;
      for (let rank = 0; rank < size; rank++) maximum = Math.max(maximum, all[rank * length + example]!);
      let sum = 0;
      for (let rank = 0; rank < size; rank++)
        sum += Math.exp(all[rank * length + example]! - maximum) * all[rank * length + examples + example]!;
      logPartition[example] = maximum + Math.log(sum);
    }
    // 0·log Z rather than 0: for an example without targets, outputs that are not finite must still give NaN.
    const losses = logPartition.map((value) => 0 * value);
    for (let entry = 0; entry < count; entry++) {
      const owner = ownerOf(this.#partition, batch.classes[entry]!);
      const example = batch.rows[entry]!;
      losses[example]! +=
        batch.weights[entry]! * (logPartition[example]! - all[owner * length + 2 * examples + entry]!);
    }
    return { logPartition, losses };
  }

  /**
   * Updates this rank's rows. No collective; cannot fail.
   * @param gradient M×width: this rank's part of the gradient with respect to all activations; overwritten.
   */
  update(batch: GlobalBatch, logPartition: Float64Array, gradient: Matrix, learningRate: number, step: number): void {
    const { hidden, examples, count } = batch;
    const amounts = new Float64Array(examples);
    for (let entry = 0; entry < count; entry++)
      amounts[batch.rows[entry]!]! += batch.factors[batch.rows[entry]!]! * batch.weights[entry]!;
    const amountColumn = this.#column('amounts', amounts);
    const logColumn = this.#column('log partition', logPartition);
    fill(0, gradient);
    const targets = this.#ownTargets(batch);
    for (let first = 0; first < this.#own.rows; first += this.#blockRows) {
      const { rows, logits } = this.#block(hidden, first);
      binary('subtract', logits, logColumn, logits);
      unary('exp', logits, logits);
      scaleRows(logits, amountColumn, logits);
      this.#subtractTargets(batch, targets, first, logits);
      gemm(logits, rows, gradient, { beta: 1 });
      const change = this.#workspace.matrix('class change', rows.rows, rows.columns);
      gemm(logits, hidden, change, { transposeA: true });
      const range = Int32Array.from({ length: rows.rows }, (_, i) => first + i);
      this.#own.updateDistinct(this.#workspace.indices('changed classes', range), change, learningRate, step);
    }
  }

  /** Maxima and sums over this rank's classes; each block's are combined in f64. */
  async #maximaAndSums({ hidden, examples }: GlobalBatch, out: Float64Array): Promise<void> {
    const column = this.#workspace.matrix('block column', examples, 1);
    for (let first = 0; first < this.#own.rows; first += this.#blockRows) {
      const { logits } = this.#block(hidden, first);
      reduce('maximum', logits, column);
      const maxima = Float64Array.from(await read(column));
      binary('subtract', logits, column, logits);
      unary('exp', logits, logits);
      reduce('sum', logits, column);
      const sums = await read(column);
      for (let example = 0; example < examples; example++) {
        const before = out[example]!;
        // Math.max of NaN is NaN: an output that is not finite is not hidden.
        const maximum = Math.max(before, maxima[example]!);
        const rest = before === -Infinity ? 0 : out[examples + example]! * Math.exp(before - maximum);
        out[example] = maximum;
        out[examples + example] = rest + sums[example]! * Math.exp(maxima[example]! - maximum);
      }
    }
  }

  async #targetOutputs(batch: GlobalBatch, out: Float64Array): Promise<void> {
    const own = this.#ownTargets(batch);
    if (own.length === 0) return;
    const { width } = this.#own;
    const rows = this.#workspace.matrix('target rows', own.length, width);
    this.#own.gather(
      this.#workspace.indices(
        'target classes',
        Int32Array.from(own, (entry) => localRowOf(this.#partition, batch.classes[entry]!)),
      ),
      rows,
    );
    const hidden = this.#workspace.matrix('target hidden', own.length, width);
    gatherRows(
      batch.hidden,
      this.#workspace.indices(
        'target examples',
        Int32Array.from(own, (entry) => batch.rows[entry]!),
      ),
      hidden,
    );
    const outputs = this.#workspace.matrix('target outputs', own.length, 1);
    rowDot(rows, hidden, outputs);
    const values = await read(outputs);
    for (const [i, entry] of own.entries()) out[entry] = values[i]!;
  }

  /** G −= factor·y at the targets that lie in a block, which is a table of m·columns rows of one number. */
  #subtractTargets(batch: GlobalBatch, targets: readonly number[], first: number, logits: Matrix): void {
    const { rows: examples, columns } = logits;
    const inBlock = targets.filter((entry) => {
      const local = localRowOf(this.#partition, batch.classes[entry]!) - first;
      return local >= 0 && local < columns;
    });
    if (inBlock.length === 0) return;
    const shares = this.#column(
      'target shares',
      Float64Array.from(inBlock, (entry) => -batch.factors[batch.rows[entry]!]! * batch.weights[entry]!),
    );
    const places = Int32Array.from(
      inBlock,
      (entry) => batch.rows[entry]! * columns + localRowOf(this.#partition, batch.classes[entry]!) - first,
    );
    const flat = logits.resize(examples * columns, 1);
    scatterAddRows(shares, this.#workspace.indices('target places', places), flat);
    logits.resize(examples, columns);
  }

  #ownTargets({ classes, count }: GlobalBatch): readonly number[] {
    const own: number[] = [];
    for (let entry = 0; entry < count; entry++)
      if (ownerOf(this.#partition, classes[entry]!) === this.#communicator.rank) own.push(entry);
    return own;
  }

  #block(hidden: Matrix, first: number): { readonly rows: Matrix; readonly logits: Matrix } {
    const rows = this.#rows.own(first, Math.min(this.#blockRows, this.#own.rows - first), 'block rows');
    const logits = this.#workspace.matrix('block logits', hidden.rows, rows.rows);
    gemm(hidden, rows, logits, { transposeB: true });
    return { rows, logits };
  }

  #column(name: string, values: Float64Array): Matrix {
    const column = this.#workspace.matrix(name, values.length, 1);
    write(values, column);
    return column;
  }
}
