/**
 * A table with one row of weights for each class (with the bias last, if there is one) and the update of the rows that
 * a step touches. All layers of this package store their weights in such tables. A row belongs to a class, to the
 * position of a class in an order that the layer defines, or to an inner node of a tree.
 */
import {
  copyColumns,
  drawNormalRows,
  fillNormalRows,
  gatherRows,
  growTable,
  multiplyRows,
  normalKeys,
  rowDot,
  scatterRows,
  write,
  writeRows,
  type Backend,
  type Indices,
  type Matrix,
  type RowTable,
  type Workspace,
} from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import { TableUpdater, type RowGradient, type UpdateRule } from '@vastmax/update-rules';
import { findTensor, restoreTable, tableTensor, type ModuleState, type TensorSource } from '@vastmax/linalg-core/state';

/** Number of rows that are gathered or written at once outside a step. */
const rowsPerBlock = 4096;

export interface ClassTableOptions extends InitialRows {
  /** Prefix of its tensors (`name`, and `name.moment.0` … of the rule) and of its scratch matrices in the workspace. */
  readonly name: string;
  readonly rows: number;
  /** Without the bias. */
  readonly features: number;
  readonly bias: boolean;
  readonly rule: UpdateRule;
}

/**
 * Whether a tensor of a layer's state belongs to the table with the name `table`: its rows, or a moment of its update
 * rule, as in {@link ClassTable.tensors}.
 */
export function isTensorOfTable(table: string, tensor: string): boolean {
  return tensor === table || tensor.startsWith(`${momentsOf(table)}.`);
}

function momentsOf(table: string): string {
  return `${table}.moment`;
}

/** One weight row for each class, with its update rule; only rows that a step touches are read and changed. */
export class ClassTable implements TrainableRows {
  readonly name: string;
  readonly features: number;
  readonly bias: boolean;
  /** rows×width. */
  readonly table: RowTable;
  readonly rule: UpdateRule;
  readonly #workspace: Workspace;
  readonly #updater: TableUpdater;
  #range: Int32Array = new Int32Array(0);

  /** Creates the table and initialises its rows. O(rows·width). @throws LinalgError `out-of-memory`. */
  constructor(backend: Backend, options: ClassTableOptions, workspace: Workspace) {
    const { name, rows, features, bias, rule } = options;
    this.name = name;
    this.features = features;
    this.bias = bias;
    this.rule = rule;
    this.#workspace = workspace;
    this.table = backend.createTable(rows, this.width);
    try {
      this.#fill(options);
      this.#updater = new TableUpdater(momentsOf(name), this.table, rule, workspace);
    } catch (error) {
      this.table[Symbol.dispose]();
      throw error;
    }
  }

  /** A new table is zeros already. */
  #fill({ initialScale = 0.01, seed = 1, initialBiases }: InitialRows): void {
    const { rows, features } = this;
    if (initialScale !== 0) fillNormalRows(this.table, 0, rows, { seed, scale: initialScale, columns: features });
    if (!this.bias || initialBiases === undefined) return;
    for (let first = 0; first < rows; first += rowsPerBlock) {
      const count = Math.min(rowsPerBlock, rows - first);
      const values = this.#workspace.matrix('initial biases', count, 1);
      write(
        Float64Array.from({ length: count }, (_, i) => checkedBias(initialBiases, first + i)),
        values,
      );
      const block = this.#workspace.matrix('initial rows', count, this.width);
      const places = this.range(first, count, 'initial places');
      this.gather(places, block);
      copyColumns(values, 0, block, features, 1);
      scatterRows(block, places, this.table);
    }
  }

  get rows(): number {
    return this.table.rows;
  }

  /** Features and bias. */
  get width(): number {
    return this.features + (this.bias ? 1 : 0);
  }

  /** Rows `first` … as indices, prepared in the list of the workspace that is called `list`. O(count). */
  range(first: number, count: number, list: string): Indices {
    if (this.#range.length < count) this.#range = new Int32Array(Math.ceil(count * 1.5));
    const range = this.#range;
    for (let i = 0; i < count; i++) range[i] = first + i;
    return this.#workspace.indices(list, range, count);
  }

  /** out_i = row indices_i; out count×width. */
  gather(indices: Indices, out: Matrix): void {
    gatherRows(this.table, indices, out);
  }

  /**
   * Dot products of every hidden row with `out.columns` consecutive rows. O(m·count·width).
   * @param hidden m×width, with the bias feature.
   * @param out m×count.
   */
  rangeScores(hidden: Matrix, first: number, out: Matrix): void {
    multiplyRows(hidden, this.table, first, out, this.#workspace);
  }

  /** out_i = hidden_i · row rows_i. @param hidden m×width. @param out m×1. */
  rowScores(hidden: Matrix, rows: Int32Array, out: Matrix): void {
    const own = this.#workspace.matrix('row score rows', rows.length, this.width);
    this.gather(this.#workspace.indices('row score list', rows), own);
    rowDot(hidden, own, out);
  }

  /** Rows `first` … without their biases; out count×features. */
  vectors(first: number, out: Matrix): void {
    const rows = this.#workspace.matrix('vector rows', out.rows, this.width);
    this.gather(this.range(first, out.rows, 'vector range'), rows);
    copyColumns(rows, 0, out, 0, this.features);
  }

  /** Change rows by the rule; repeated rows, within one gradient and across them, add up. @param step from 1. */
  update(gradients: readonly RowGradient[], learningRate: number, step: number): void {
    this.#updater.apply(gradients, learningRate, step);
  }

  /**
   * As `update`, for indices without repetitions.
   * @param gradient may be overwritten.
   */
  updateDistinct(indices: Indices, gradient: Matrix, learningRate: number, step: number): void {
    this.#updater.applyDistinct(indices, gradient, learningRate, step);
  }

  /** Adds rows of zeros until there are `rows`, with moments of zero. Views of the rows become invalid. */
  grow(rows: number): void {
    growTable(this.table, rows);
    this.#updater.grow();
  }

  /** Adds rows of these numbers at the end, with moments of zero; see {@link checkAddedRows}. O(rows that are added). */
  append(values: ArrayLike<number>): void {
    const first = this.rows;
    if (values.length === 0) return;
    this.grow(first + values.length / this.width);
    writeRows(values, first, this.table);
  }

  /** The rows and the rule's moments. */
  tensors(): TensorSource[] {
    return [tableTensor(this.name, this.table), ...this.#updater.tensors()];
  }

  /** @throws StateError `state-mismatch` when a tensor is missing or of another shape; nothing is changed. */
  checkState(state: ModuleState): void {
    findTensor(state, this.name, this.rows, this.width);
    this.#updater.checkState(state);
  }

  /** @throws StateError `state-mismatch`. */
  async restore(state: ModuleState): Promise<void> {
    this.checkState(state);
    await restoreTable(state, this.name, this.table);
    await this.#updater.restore(state);
  }

  [Symbol.dispose](): void {
    this.#updater[Symbol.dispose]();
    this.table[Symbol.dispose]();
  }
}

// The interfaces through which the sampled methods use the rows of their classes. The same methods therefore work on
// rows in a table of this process (ClassTable) and on rows distributed over several processes (distributed-layers).

/** Rows that can be read. */
export interface RowSource {
  readonly rows: number;
  /** Features and bias. */
  readonly width: number;
  /** Where the rows are, if all of them are in one table of this process. */
  readonly table?: RowTable;
  /** Rows `first` … as indices, prepared in the list of the workspace that is called `list`. */
  range(first: number, count: number, list: string): Indices;
  /** out_i = row indices_i; out count×width. */
  gather(indices: Indices, out: Matrix): void;
}

/** A list of row numbers: the first `count` of `values`. */
export interface RowList {
  readonly values: Int32Array;
  readonly count: number;
}

/** Weight rows that a sampled layer reads and changes, wherever they are. */
export interface TrainableRows extends RowSource, Disposable {
  /** Without the bias. */
  readonly features: number;
  readonly bias: boolean;
  /**
   * Called in each step before any gather, with all rows that the step will gather and update. Not implemented where
   * all rows are local.
   */
  fetch?(lists: readonly RowList[]): Promise<void>;
  /** Change rows by the rule; repeated rows, within one gradient and across them, add up. @param step from 1. */
  update(gradients: readonly RowGradient[], learningRate: number, step: number): void | Promise<void>;
  /** Adds rows at the end. Not implemented where rows are on several ranks. */
  append?(values: ArrayLike<number>): void;
  /** The rows and the rule's moments. */
  tensors(): TensorSource[];
  /** @throws OutputLayerError `state-mismatch`; nothing is changed. */
  checkState(state: ModuleState): void;
  /** @throws OutputLayerError `state-mismatch`. */
  restore(state: ModuleState): Promise<void>;
}

/**
 * The argument of addClasses of a layer. @returns how many classes are added.
 * @throws OutputLayerError `bad-option` for values that are no whole rows, `non-finite`.
 */
export function checkAddedRows(kind: string, values: ArrayLike<number>, width: number): number {
  const count = values.length / width;
  if (!Number.isSafeInteger(count)) {
    throw new OutputLayerError(
      'bad-option',
      `${kind} addClasses: ${values.length} values are not whole rows of ${width} (features and bias)`,
    );
  }
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new OutputLayerError('non-finite', `${kind} addClasses: value ${i} is ${values[i]}, it must be finite`);
  }
  return count;
}

interface InitialRows {
  /** Standard deviation of the initial weights, which are normally distributed; default 0.01. Biases start at 0. */
  readonly initialScale?: number;
  /** Seed of the initial weights; default 1. */
  readonly seed?: number;
  /** Initial biases, one for each row, such as the log of the unigram probability. */
  readonly initialBiases?: ArrayLike<number>;
}

/**
 * A function that computes the initial rows `first` … as ClassTable does, for rows that are stored elsewhere; the
 * returned array is reused.
 * @throws OutputLayerError `non-finite` for an initial bias.
 */
export function createInitialRows(
  { initialScale = 0.01, seed = 1, initialBiases }: InitialRows,
  features: number,
  bias: boolean,
): (first: number, count: number) => Float64Array {
  const keys = normalKeys(seed);
  const width = features + (bias ? 1 : 0);
  let block = new Float64Array(0);
  return (first, count) => {
    if (block.length < count * width) block = new Float64Array(count * width);
    if (initialScale !== 0) drawNormalRows(keys, first, count, initialScale, features, block, width);
    for (let row = 0; row < count && bias; row++)
      block[row * width + features] = initialBiases === undefined ? 0 : checkedBias(initialBiases, first + row);
    return block.subarray(0, count * width);
  };
}

function checkedBias(biases: ArrayLike<number>, row: number): number {
  const bias = biases[row]!;
  if (Number.isFinite(bias)) return bias;
  throw new OutputLayerError('non-finite', `the initial bias of class ${row} is ${bias}, it must be finite`);
}
