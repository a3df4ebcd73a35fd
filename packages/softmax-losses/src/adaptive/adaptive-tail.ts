/**
 * One tail of the adaptive softmax: hidden activations are projected to a few features, and a softmax over the tail's
 * classes is computed on those.
 */
import {
  copyColumns,
  fill,
  gatherRows,
  gemm,
  scatterAddRows,
  write,
  type Backend,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import {
  findTensor,
  matrixTensor,
  restoreMatrix,
  type ModuleState,
  type TensorSource,
} from '@vastmax/linalg-core/state';
import { RandomGenerator } from '@vastmax/sparse-data';
import { MatrixUpdater, type UpdateRule } from '@vastmax/update-rules';
import { ClassTable } from '../class-table/class-table.ts';
import { BlockedSoftmax, type ForwardOptions } from '../full/blocked-softmax.ts';
import { TargetList } from '../layer/target-list.ts';

/** The rows are short, so a block can have many of them. */
const rowsPerBlock = 8192;

export interface AdaptiveTailOptions {
  /** Prefix of its tensors, such as `tail.0`. */
  readonly name: string;
  readonly classes: number;
  /** d, and the number of features after the projection. */
  readonly features: number;
  readonly width: number;
  readonly initialScale: number;
  readonly seed: number;
  readonly rule: UpdateRule;
}

export class AdaptiveTail implements Disposable {
  readonly classes: number;
  readonly #name: string;
  readonly #workspace: Workspace;
  readonly #table: ClassTable;
  readonly #softmax: BlockedSoftmax;
  /** width×d. */
  readonly #projection: Matrix;
  readonly #updater: MatrixUpdater;
  /**
   * The part of a minibatch that has targets in this tail: its examples, renumbered from 0, and their targets, numbered
   * from the tail's first class.
   */
  readonly #targets = new TargetList();
  #examples: Int32Array = new Int32Array(0);
  #factors: Float64Array = new Float64Array(0);

  constructor(backend: Backend, options: AdaptiveTailOptions, workspace: Workspace) {
    const { name, classes, features, width, initialScale, seed, rule } = options;
    this.classes = classes;
    this.#name = name;
    this.#workspace = workspace;
    this.#table = new ClassTable(
      backend,
      { name: `${name}.classes`, rows: classes, features: width, bias: false, rule, initialScale, seed },
      workspace,
    );
    this.#softmax = new BlockedSoftmax(this.#table, workspace, { blockRows: rowsPerBlock });
    this.#projection = backend.createMatrix(width, features);
    const random = new RandomGenerator(seed + 1);
    // This scale preserves lengths on average. initialScale then means the same for a tail as for the head, and neither
    // of the two factors starts near 0.
    const scale = 1 / Math.sqrt(width);
    write(
      Float64Array.from({ length: width * features }, () => scale * random.normal()),
      this.#projection,
    );
    this.#updater = new MatrixUpdater(`${name}.projection.moment`, this.#projection, rule, workspace);
  }

  /** Begins a minibatch; entries must be added in ascending order of examples. */
  begin(entries: number): void {
    this.#targets.begin(0, entries);
    if (this.#examples.length < entries) {
      this.#examples = new Int32Array(Math.ceil(entries * 1.5));
      this.#factors = new Float64Array(Math.ceil(entries * 1.5));
    }
  }

  /** @param target from 0 to the tail's classes − 1. */
  add(example: number, target: number, weight: number): void {
    const targets = this.#targets;
    if (targets.examples === 0 || this.#examples[targets.examples - 1] !== example)
      this.#examples[targets.examples++] = example;
    targets.add(targets.examples - 1, target, weight);
  }

  /** losses += −Σ y log p(c | tail, h). @param hidden m×d. */
  forward(hidden: Matrix, losses: Matrix, { keep = false }: ForwardOptions = {}): void {
    if (this.#targets.count === 0) return;
    const { examples } = this.#targets;
    const list = this.#workspace.indices(`${this.#name} examples`, this.#examples, examples);
    const own = this.#matrix('hidden', examples, hidden.columns);
    gatherRows(hidden, list, own);
    const projected = this.project(own, 'projected');
    scatterAddRows(this.#softmax.forward(projected, this.#targets, { keep }), list, losses);
  }

  /** After `forward`: changes the weights and adds the hidden gradient to `hiddenGradient`, m×d or wider. */
  update(
    factors: Float64Array,
    hiddenGradient: Matrix,
    { learningRate, step }: { readonly learningRate: number; readonly step: number },
  ): void {
    if (this.#targets.count === 0) return;
    const { examples } = this.#targets;
    const { rows: width, columns: features } = this.#projection;
    for (let i = 0; i < examples; i++) this.#factors[i] = factors[this.#examples[i]!]!;
    const projected = this.#matrix('projected', examples, width);
    const gradient = this.#matrix('projected gradient', examples, width);
    fill(0, gradient);
    this.#softmax.update(projected, this.#targets, this.#factors, gradient, { learningRate, step });
    const back = this.#matrix('hidden gradient', examples, features);
    gemm(gradient, this.#projection, back);
    scatterAddRows(
      this.#widened(back, hiddenGradient.columns),
      this.#workspace.indices(`${this.#name} examples`, this.#examples, examples),
      hiddenGradient,
    );
    const change = this.#matrix('projection change', width, features);
    gemm(gradient, this.#matrix('hidden', examples, features), change, { transposeA: true });
    this.#updater.apply(change, learningRate, step);
  }

  /** hidden·Pᵀ, in the workspace matrix `name`. */
  project(hidden: Matrix, name: string): Matrix {
    const out = this.#matrix(name, hidden.rows, this.#projection.rows);
    gemm(hidden, this.#projection, out, { transposeB: true });
    return out;
  }

  /** log Z of each example, m×1. @param projected m×width. */
  logPartition(projected: Matrix): Matrix {
    return this.#softmax.logPartition(projected);
  }

  /** Outputs of some of the tail's classes, count×m. @param projected m×width. */
  outputs(projected: Matrix, targets: Int32Array, out: Matrix): void {
    const rows = this.#matrix('rows', targets.length, this.#table.width);
    this.#table.gather(this.#workspace.indices(`${this.#name} rows`, targets), rows);
    gemm(rows, projected, out, { transposeB: true });
  }

  /** Rows of some of the tail's classes, mapped back to d features: rows·P, count×d. */
  vectors(targets: Int32Array, out: Matrix): void {
    const rows = this.#matrix('rows', targets.length, this.#table.width);
    this.#table.gather(this.#workspace.indices(`${this.#name} rows`, targets), rows);
    gemm(rows, this.#projection, out);
  }

  tensors(): TensorSource[] {
    return [
      matrixTensor(`${this.#name}.projection`, this.#projection),
      ...this.#updater.tensors(),
      ...this.#table.tensors(),
    ];
  }

  checkState(state: ModuleState): void {
    findTensor(state, `${this.#name}.projection`, this.#projection.rows, this.#projection.columns);
    this.#updater.checkState(state);
    this.#table.checkState(state);
  }

  async restore(state: ModuleState): Promise<void> {
    await restoreMatrix(state, `${this.#name}.projection`, this.#projection);
    await this.#updater.restore(state);
    await this.#table.restore(state);
  }

  [Symbol.dispose](): void {
    this.#softmax[Symbol.dispose]();
    this.#table[Symbol.dispose]();
    this.#updater[Symbol.dispose]();
    this.#projection[Symbol.dispose]();
  }

  /** The gradient with a column of zeros for the head's bias feature, which a tail does not use. */
  #widened(gradient: Matrix, columns: number): Matrix {
    if (gradient.columns === columns) return gradient;
    const wide = this.#matrix('hidden gradient with bias', gradient.rows, columns);
    fill(0, wide);
    copyColumns(gradient, 0, wide, 0, gradient.columns);
    return wide;
  }

  #matrix(what: string, rows: number, columns: number): Matrix {
    return this.#workspace.matrix(`${this.#name} ${what}`, rows, columns);
  }
}
