/**
 * The target entries of a minibatch sorted by class, so that the entries of each block of classes are contiguous. O(P
 * log P) for P targets.
 */
import {
  gatherRows,
  scatterAddRows,
  type Indices,
  type Matrix,
  type RowTable,
  type Workspace,
  write,
  writeRows,
} from '@vastmax/linalg-core';
import type { ClassTable } from '../class-table/class-table.ts';
import type { TargetList } from '../layer/target-list.ts';

export class BlockTargets {
  /** class·P + entry of each entry, ascending: a single sort key. */
  #keys: Float64Array = new Float64Array(0);
  #values: Float64Array = new Float64Array(0);
  #places: Int32Array = new Int32Array(0);
  #blockValues: Float64Array = new Float64Array(0);
  #targets: TargetList | undefined;
  #count = 0;
  #next = 0;

  /** Begins a pass over the blocks in ascending order. @param valueOf the value that an entry adds at its position. */
  sort(targets: TargetList, valueOf: (entry: number) => number): void {
    const { count } = targets;
    if (this.#places.length < count) {
      const capacity = Math.ceil(count * 1.5);
      this.#keys = new Float64Array(capacity);
      this.#values = new Float64Array(capacity);
      this.#places = new Int32Array(capacity);
      this.#blockValues = new Float64Array(capacity);
    }
    for (let entry = 0; entry < count; entry++) {
      this.#keys[entry] = targets.classes[entry]! * count + entry;
      this.#values[entry] = valueOf(entry);
    }
    this.#keys.subarray(0, count).sort();
    this.#targets = targets;
    this.#count = count;
    this.#next = 0;
  }

  /** Adds the entries of the next block, whose classes begin at `first`, to its m×count matrix at (example, class). */
  addTo(block: Matrix, first: number, workspace: Workspace, name: string): void {
    const targets = this.#targets;
    if (targets === undefined) return;
    const { rows: m, columns: count } = block;
    const end = (first + count) * this.#count;
    let found = 0;
    for (; this.#next < this.#count && this.#keys[this.#next]! < end; this.#next++) {
      const entry = this.#keys[this.#next]! % this.#count;
      this.#places[found] = targets.rows[entry]! * count + targets.classes[entry]! - first;
      this.#blockValues[found++] = this.#values[entry]!;
    }
    // Capacity for all entries from the first block on, so that later blocks and steps allocate nothing.
    const values = workspace.matrix(`${name} block values`, this.#count, 1).resize(found, 1);
    if (found === 0) return;
    workspace.indices(`${name} block places`, this.#places, this.#count);
    write(this.#blockValues.subarray(0, found), values);
    // scatterAddRows adds whole rows, so the block is resized to one column: then each element is a row.
    scatterAddRows(values, workspace.indices(`${name} block places`, this.#places, found), block.resize(m * count, 1));
    block.resize(m, count);
  }
}

/**
 * The targets of a minibatch after label smoothing ε and class weights w, on the host in f64:
 * y'_k = (1 − ε) y_k + ε T/D with T = Σ y.
 */
export class TargetShares implements Disposable {
  readonly smoothing: number;
  /** Σ_k w_k. */
  readonly weightSum: number;
  /** (1 − ε) w_c y of each entry. */
  weighted: Float64Array = new Float64Array(0);
  /** A = Σ_k w_k y'_k of each example. */
  amounts: Float64Array = new Float64Array(0);
  /** εT/D of each example. */
  spreads: Float64Array = new Float64Array(0);
  readonly #classes: number;
  readonly #classWeights: ArrayLike<number> | undefined;
  /** w as D×1 rows; only with smoothing are the weights of classes needed that are not a target. */
  readonly #weightTable: RowTable | undefined;

  constructor(table: ClassTable, smoothing: number, classWeights: ArrayLike<number> | undefined) {
    this.smoothing = smoothing;
    this.#classes = table.rows;
    this.#classWeights = classWeights;
    let sum = classWeights === undefined ? table.rows : 0;
    if (classWeights !== undefined) for (let k = 0; k < table.rows; k++) sum += classWeights[k]!;
    this.weightSum = sum;
    if (classWeights !== undefined && smoothing > 0) {
      this.#weightTable = table.table.backend.createTable(table.rows, 1);
      writeRows(classWeights, 0, this.#weightTable);
    }
  }

  /** O(examples + targets). */
  measure({ examples, count, rows, classes, weights }: TargetList): void {
    if (this.weighted.length < count) this.weighted = new Float64Array(Math.ceil(count * 1.5));
    if (this.amounts.length < examples) {
      this.amounts = new Float64Array(Math.ceil(examples * 1.5));
      this.spreads = new Float64Array(Math.ceil(examples * 1.5));
    }
    this.amounts.fill(0);
    this.spreads.fill(0);
    for (let entry = 0; entry < count; entry++) {
      const weight = weights[entry]!;
      const spread = (this.smoothing * weight) / this.#classes;
      const weighted =
        (1 - this.smoothing) * weight * (this.#classWeights === undefined ? 1 : this.#classWeights[classes[entry]!]!);
      this.weighted[entry] = weighted;
      this.amounts[rows[entry]!]! += weighted + spread * this.weightSum;
      this.spreads[rows[entry]!]! += spread;
    }
  }

  /** Whether the weights of all classes are needed: `weightsOf` then has them. */
  get hasWeightTable(): boolean {
    return this.#weightTable !== undefined;
  }

  /** w of some classes, count×1; undefined if all are 1. */
  weightsOf(range: Indices, workspace: Workspace, name: string): Matrix | undefined {
    if (this.#weightTable === undefined) return undefined;
    const weights = workspace.matrix(`${name} class weights`, range.count, 1);
    gatherRows(this.#weightTable, range, weights);
    return weights;
  }

  [Symbol.dispose](): void {
    this.#weightTable?.[Symbol.dispose]();
  }
}
