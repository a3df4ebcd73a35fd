/**
 * The second level: for each example, a softmax over the classes of its targets' clusters, one group at a time
 * (ClusterGroups in cluster-layout.ts). The gradient with respect to a group's outputs is small, slots×rows, and is
 * kept from `forward` to `update`. The rows are not kept; they are gathered again only if the update rule needs them.
 * O(slots·S·d) for clusters of S classes.
 */
import {
  binary,
  copyColumns,
  gatherRows,
  gemm,
  reduce,
  scaleRows,
  scatterAddRows,
  scatterRows,
  unary,
  write,
  type Indices,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { ClassTable } from '../class-table/class-table.ts';
import type { TargetList } from '../layer/target-list.ts';
import { ClusterGroups, type ClusterLayout } from './cluster-layout.ts';

interface Group {
  /** n slots, e entries, S rows. */
  readonly slots: number;
  readonly entries: number;
  readonly rows: number;
  readonly firstSlot: number;
  readonly firstEntry: number;
  /** First row of the cluster. */
  readonly firstRow: number;
}

/** The softmax among the classes of each target's cluster: losses, gradients and updates of their rows. */
export class InClusterSoftmax {
  readonly #workspace: Workspace;
  readonly #table: ClassTable;
  readonly #layout: ClusterLayout;
  readonly #groups = new ClusterGroups();
  #integers: Int32Array = new Int32Array(0);
  #numbers: Float64Array = new Float64Array(0);

  constructor(workspace: Workspace, table: ClassTable, layout: ClusterLayout) {
    this.#workspace = workspace;
    this.#table = table;
    this.#layout = layout;
  }

  /**
   * losses += −Σ y log p(c | cluster, h), and, for training, hiddenGradient += its gradient.
   * @param hidden m×width, with the bias feature.
   */
  forward(
    hidden: Matrix,
    targets: TargetList,
    losses: Matrix,
    training?: { readonly factors: Float64Array; readonly hiddenGradient: Matrix },
  ): void {
    const groups = this.#groups;
    groups.build(targets, this.#layout);
    this.#reserve(targets.count);
    if (training !== undefined) this.#workspace.matrix('in-cluster gradients', groups.slots, this.#layout.largest);
    for (let index = 0; index < groups.count; index++) {
      const group = this.#group(index);
      const rows = this.#rows(group);
      const slotHidden = this.#slotHidden(hidden, group);
      const logits = this.#matrix('logits', group.slots, group.rows);
      gemm(slotHidden, rows, logits, { transposeB: true });
      const column = this.#matrix('column', group.slots, 1);
      reduce('maximum', logits, column);
      binary('subtract', logits, column, logits);
      const places = this.#places(group);
      const outputs = this.#matrix('outputs', group.entries, 1);
      gatherRows(logits.resize(group.slots * group.rows, 1), places, outputs);
      logits.resize(group.slots, group.rows);
      unary('exp', logits, logits);
      reduce('sum', logits, column);
      this.#addLosses(group, column, outputs, losses);
      if (training !== undefined) {
        this.#gradient(group, logits, column, places, training.factors);
        const slotGradient = this.#matrix('slot gradient', group.slots, this.#table.width);
        gemm(logits, rows, slotGradient);
        scatterAddRows(slotGradient, this.#slotExamples(group), training.hiddenGradient);
        this.#keep(group, logits);
      }
    }
  }

  /** Updates the rows of the touched clusters; call it after `forward` for training. */
  update(hidden: Matrix, learningRate: number, step: number): void {
    for (let index = 0; index < this.#groups.count; index++) {
      const group = this.#group(index);
      const change = this.#matrix('rows', group.rows, this.#table.width);
      gemm(this.#kept(group), this.#slotHidden(hidden, group), change, { transposeA: true });
      this.#table.updateDistinct(
        this.#table.range(group.firstRow, group.rows, 'in-cluster range'),
        change,
        learningRate,
        step,
      );
    }
  }

  #group(index: number): Group {
    const { clusters, firstSlot, firstEntry } = this.#groups;
    const cluster = clusters[index]!;
    const firstRow = this.#layout.firstRow[cluster]!;
    return {
      slots: firstSlot[index + 1]! - firstSlot[index]!,
      entries: firstEntry[index + 1]! - firstEntry[index]!,
      rows: this.#layout.firstRow[cluster + 1]! - firstRow,
      firstSlot: firstSlot[index]!,
      firstEntry: firstEntry[index]!,
      firstRow,
    };
  }

  #rows({ firstRow, rows }: Group): Matrix {
    const out = this.#matrix('rows', rows, this.#table.width);
    this.#table.gather(this.#table.range(firstRow, rows, 'in-cluster range'), out);
    return out;
  }

  #slotExamples({ slots, firstSlot }: Group): Indices {
    return this.#indices('slot examples', slots, (i) => this.#groups.slotExamples[firstSlot + i]!);
  }

  #slotHidden(hidden: Matrix, group: Group): Matrix {
    const out = this.#matrix('slot hidden', group.slots, this.#table.width);
    gatherRows(hidden, this.#slotExamples(group), out);
    return out;
  }

  /** The position of each entry's output in the group's logits, as a single column. */
  #places({ entries, firstEntry, firstSlot, rows }: Group): Indices {
    const { entrySlots, places } = this.#groups;
    return this.#indices(
      'places',
      entries,
      (i) => (entrySlots[firstEntry + i]! - firstSlot) * rows + places[firstEntry + i]!,
    );
  }

  /** losses += y (log Σ − o), both relative to the slot's maximum. */
  #addLosses({ slots, entries, firstEntry, firstSlot }: Group, sums: Matrix, outputs: Matrix, losses: Matrix): void {
    const groups = this.#groups;
    const logarithms = this.#matrix('logarithms', slots, 1);
    unary('log', sums, logarithms);
    const surprisals = this.#matrix('surprisals', entries, 1);
    gatherRows(
      logarithms,
      this.#indices('entry slots', entries, (i) => groups.entrySlots[firstEntry + i]! - firstSlot),
      surprisals,
    );
    binary('subtract', surprisals, outputs, surprisals);
    binary(
      'multiply',
      surprisals,
      this.#column('entry weights', entries, (i) => groups.weights[firstEntry + i]!),
      surprisals,
    );
    scatterAddRows(
      surprisals,
      this.#indices('entry examples', entries, (i) => groups.examples[firstEntry + i]!),
      losses,
    );
  }

  /** Replaces exp(o − maximum) by the gradient with respect to o: factor·(T p − y). */
  #gradient(
    { slots, entries, rows, firstSlot, firstEntry }: Group,
    logits: Matrix,
    sums: Matrix,
    places: Indices,
    factors: Float64Array,
  ): void {
    const { slotExamples, slotWeights, examples, weights } = this.#groups;
    const amounts = this.#column(
      'amounts',
      slots,
      (i) => factors[slotExamples[firstSlot + i]!]! * slotWeights[firstSlot + i]!,
    );
    binary('divide', amounts, sums, amounts);
    scaleRows(logits, amounts, logits);
    const parts = this.#column(
      'entry weights',
      entries,
      (i) => -factors[examples[firstEntry + i]!]! * weights[firstEntry + i]!,
    );
    scatterAddRows(parts, places, logits.resize(slots * rows, 1));
    logits.resize(slots, rows);
  }

  /** Stores a group's slots×rows gradient in the matrix of all groups, padded to the size of the largest cluster. */
  #keep(group: Group, gradient: Matrix): void {
    const { largest } = this.#layout;
    const all = this.#workspace.matrix('in-cluster gradients', this.#groups.slots, largest);
    if (group.rows === largest) {
      scatterRows(gradient, this.#slots(group), all);
      return;
    }
    const padded = this.#matrix('padded', group.slots, largest);
    copyColumns(gradient, 0, padded, 0, group.rows);
    scatterRows(padded, this.#slots(group), all);
  }

  #kept(group: Group): Matrix {
    const { largest } = this.#layout;
    const padded = this.#matrix('padded', group.slots, largest);
    gatherRows(this.#workspace.matrix('in-cluster gradients', this.#groups.slots, largest), this.#slots(group), padded);
    if (group.rows === largest) return padded;
    const gradient = this.#matrix('logits', group.slots, group.rows);
    copyColumns(padded, 0, gradient, 0, group.rows);
    return gradient;
  }

  #slots({ slots, firstSlot }: Group): Indices {
    return this.#indices('slots', slots, (i) => firstSlot + i);
  }

  /**
   * The sizes of groups differ from step to step. Small buffers therefore get the capacity for a group of all entries.
   */
  #reserve(entries: number): void {
    if (this.#integers.length >= entries) return;
    const capacity = Math.ceil(entries * 1.5);
    this.#integers = new Int32Array(capacity);
    this.#numbers = new Float64Array(capacity);
    for (const name of ['slot examples', 'places', 'entry slots', 'entry examples', 'slots'])
      this.#workspace.indices(`in-cluster ${name}`, this.#integers);
    for (const name of ['column', 'outputs', 'logarithms', 'surprisals', 'entry weights', 'amounts'])
      this.#matrix(name, capacity, 1);
    for (const name of ['slot hidden', 'slot gradient']) this.#matrix(name, capacity, this.#table.width);
    this.#matrix('rows', this.#layout.largest, this.#table.width);
  }

  #indices(name: string, count: number, value: (i: number) => number): Indices {
    for (let i = 0; i < count; i++) this.#integers[i] = value(i);
    return this.#workspace.indices(`in-cluster ${name}`, this.#integers, count);
  }

  #column(name: string, count: number, value: (i: number) => number): Matrix {
    for (let i = 0; i < count; i++) this.#numbers[i] = value(i);
    const column = this.#matrix(name, count, 1);
    write(this.#numbers.subarray(0, count), column);
    return column;
  }

  #matrix(name: string, rows: number, columns: number): Matrix {
    return this.#workspace.matrix(`in-cluster ${name}`, rows, columns);
  }
}
