/**
 * One level below the root of a tree: for each example, a softmax over the children of the nodes on the paths to its
 * targets, one slot for each (LevelSlots). The rows are used where they are (row-ranges.ts of linalg-core). What a slot
 * needs for its gradient, slots×k numbers, is kept from `forward` to `update`. O(slots·k·d).
 */
import {
  axpy,
  binary,
  combineRanges,
  exponentiateRanges,
  fill,
  gatheredRowDot,
  gatherRows,
  scaleRows,
  scatterAddRows,
  unary,
  updateRanges,
  write,
  type Indices,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { ClassTable } from '../class-table/class-table.ts';
import type { TargetList } from '../layer/target-list.ts';
import { LevelSlots } from './level-slots.ts';
import type { TreeShape } from './tree-shape.ts';

/** The softmax among the children of a node, for all nodes of one level of a tree that targets pass. */
export class LevelSoftmax {
  readonly table: ClassTable;
  readonly #workspace: Workspace;
  readonly #level: number;
  readonly #slots = new LevelSlots();
  #fanOut = 0;
  #numbers: Float64Array = new Float64Array(0);
  #integers: Int32Array = new Int32Array(0);

  constructor(table: ClassTable, workspace: Workspace, level: number) {
    this.table = table;
    this.#workspace = workspace;
    this.#level = level;
  }

  /**
   * losses += −Σ y log p(child | node, h) over the nodes of this level on the paths.
   * @param hidden m×width, with the bias feature.
   */
  forward(hidden: Matrix, targets: TargetList, shape: TreeShape, losses: Matrix): void {
    const own = this.#slots;
    own.build(targets, shape, this.#level);
    this.#reserve(targets.count, shape.fanOut);
    const { slots, entries } = own;
    if (entries === 0) return;
    const maxima = this.#matrix('maxima', slots, 1);
    const sums = this.#matrix('sums', slots, 1);
    exponentiateRanges(
      this.table.table,
      this.#starts(),
      { source: hidden, sourceIndices: this.#examples() },
      this.#matrix('exponentials', slots, shape.fanOut),
      maxima,
      sums,
      this.#workspace,
    );
    const logPartitions = this.#matrix('log partitions', slots, 1);
    unary('log', sums, logPartitions);
    axpy(1, maxima, logPartitions);
    const outputs = this.#matrix('outputs', entries, 1);
    const examples = this.#indices('entry examples', own.entryExamples, entries);
    gatheredRowDot(
      this.table.table,
      this.#indices('entry rows', own.entryRows, entries),
      hidden,
      examples,
      outputs,
      this.#allocate,
    );
    const surprisals = this.#matrix('surprisals', entries, 1);
    gatherRows(logPartitions, this.#indices('entry slots', own.entrySlots, entries), surprisals);
    binary('subtract', surprisals, outputs, surprisals);
    for (let entry = 0; entry < entries; entry++) this.#numbers[entry] = own.weights[entry]!;
    binary('multiply', surprisals, this.#column('entry weights', entries), surprisals);
    scatterAddRows(surprisals, examples, losses);
  }

  /**
   * Adds to the hidden gradient. Call it after `forward` with the same targets.
   * @param factors the factor of each example's loss in the reduced loss.
   * @param hiddenGradient m×width; added to.
   */
  addHiddenGradient(factors: Float64Array, hiddenGradient: Matrix): void {
    const { slots, entries } = this.#slots;
    if (entries === 0) return;
    const gradient = this.#outputGradient(factors);
    const slotGradient = this.#matrix('slot gradient', slots, this.table.width);
    combineRanges(this.table.table, this.#starts(), gradient, slotGradient, this.#workspace);
    scatterAddRows(slotGradient, this.#examples(), hiddenGradient);
  }

  /** Updates the rows of the nodes. Call it after `addHiddenGradient`, with the hidden activations of `forward`. */
  update(hidden: Matrix, { learningRate, step }: { readonly learningRate: number; readonly step: number }): void {
    const { slots, entries } = this.#slots;
    if (entries === 0) return;
    const gradient = this.#matrix('exponentials', slots, this.#fanOut);
    const source = { source: hidden, sourceIndices: this.#examples() };
    if (this.table.rule.slots === 0) {
      updateRanges(gradient, source, this.#starts(), this.table.table, this.#workspace, { scale: -learningRate });
      return;
    }
    const rows = this.#rowsOfNodes();
    const rowGradient = this.#matrix('row gradient', rows.count, this.table.width);
    fill(0, rowGradient);
    const starts = this.#indices('node starts', this.#slots.nodeStarts, slots);
    updateRanges(gradient, source, starts, rowGradient, this.#workspace);
    this.table.updateDistinct(rows, rowGradient, learningRate, step);
  }

  /** The gradient with respect to the outputs in place of the exponentials: factor·(T p − y), slots×k. */
  #outputGradient(factors: Float64Array): Matrix {
    const { slots, entries, starts, examples, amounts, entrySlots, entryExamples, entryRows, weights } = this.#slots;
    const gradient = this.#matrix('exponentials', slots, this.#fanOut);
    for (let slot = 0; slot < slots; slot++) this.#numbers[slot] = factors[examples[slot]!]! * amounts[slot]!;
    const scales = this.#column('amounts', slots);
    binary('divide', scales, this.#matrix('sums', slots, 1), scales);
    scaleRows(gradient, scales, gradient);
    for (let entry = 0; entry < entries; entry++) {
      const slot = entrySlots[entry]!;
      this.#numbers[entry] = -factors[entryExamples[entry]!]! * weights[entry]!;
      this.#integers[entry] = slot * this.#fanOut + entryRows[entry]! - starts[slot]!;
    }
    // scatterAddRows adds whole rows, so the gradient is resized to one column: then each element is a row.
    scatterAddRows(
      this.#column('entry weights', entries),
      this.#indices('places', this.#integers, entries),
      gradient.resize(slots * this.#fanOut, 1),
    );
    return gradient.resize(slots, this.#fanOut);
  }

  /** All rows of the nodes of the minibatch, in the order of `nodeStarts`. */
  #rowsOfNodes(): Indices {
    const { slots, starts, nodes } = this.#slots;
    const needed = nodes * this.#fanOut;
    if (this.#integers.length < needed) this.#integers = new Int32Array(Math.ceil(needed * 1.5));
    let count = 0;
    for (let slot = 0; slot < slots; slot++) {
      if (slot > 0 && starts[slot] === starts[slot - 1]) continue;
      const end = Math.min(starts[slot]! + this.#fanOut, this.table.rows);
      for (let row = starts[slot]!; row < end; row++) this.#integers[count++] = row;
    }
    return this.#indices('node rows', this.#integers, count);
  }

  /** Capacity for all targets from the start, however few of them are below the root: later steps allocate nothing. */
  #reserve(count: number, fanOut: number): void {
    this.#fanOut = fanOut;
    if (this.#numbers.length >= count && this.#numbers.length > 0) return;
    const capacity = Math.ceil(count * 1.5);
    this.#numbers = new Float64Array(capacity);
    const rule = this.table.rule.slots;
    const integers = Math.max(capacity, rule === 0 ? 0 : capacity * fanOut);
    if (this.#integers.length < integers) this.#integers = new Int32Array(integers);
    for (const name of ['starts', 'examples', 'entry rows', 'entry examples', 'entry slots', 'places', 'node starts'])
      this.#indices(name, this.#integers, capacity);
    for (const name of ['maxima', 'sums', 'log partitions', 'outputs', 'surprisals', 'entry weights', 'amounts'])
      this.#matrix(name, capacity, 1);
    this.#matrix('exponentials', capacity, fanOut);
    this.#matrix('slot gradient', capacity, this.table.width);
  }

  #starts(): Indices {
    return this.#indices('starts', this.#slots.starts, this.#slots.slots);
  }

  #examples(): Indices {
    return this.#indices('examples', this.#slots.examples, this.#slots.slots);
  }

  #indices(name: string, values: Int32Array, count: number): Indices {
    return this.#workspace.indices(`${this.table.name} ${name}`, values, count);
  }

  /** The first `count` of the numbers. */
  #column(name: string, count: number): Matrix {
    const column = this.#matrix(name, count, 1);
    write(this.#numbers.subarray(0, count), column);
    return column;
  }

  readonly #allocate = (rows: number, columns: number, which: 'a' | 'b' = 'a'): Matrix =>
    this.#matrix(`entry rows ${which}`, rows, columns);

  #matrix(name: string, rows: number, columns: number): Matrix {
    return this.#workspace.matrix(`${this.table.name} ${name}`, rows, columns);
  }
}
