/**
 * The part of a minibatch that training and evaluation have in common (arXiv:1606.08061 §4), with the centred Gram
 * matrix (factored-weights.ts): from the targets' (example, class) pairs and the rows of V of their classes to the
 * outputs.
 *
 *     hidden H, m×d     product H C     r = rowDot(H, H C) = Σ(o − μ)²     s = H w̄ = Σo     projected H̃ = H Uᵀ     outputs o_jc
 *
 * The outputs are V_c · H̃_j + ω · h_j (2md²), or w_c · h_j with the touched classes' own weights w_c = V_c U + ω (2Cd²
 * for C of them), from which the backward pass then computes its sparse part without another product. The second is
 * used while C ≤ m: always with one target per example.
 */
import { binary, gatherRows, gemm, rowDot, type Indices, type Matrix, type Workspace } from '@vastmax/linalg-core';
import { DistinctIndices, type CsrRows } from '@vastmax/sparse-data';
import type { FactoredWeights } from './factored-weights.ts';

/**
 * The (example, target class) pairs of a minibatch, on the host. Repeated targets of an example are merged (their
 * weights are added), and each distinct class has a slot, so that a row of V is fetched once for all examples that need
 * it. O(number of targets), independent of D. Buffers grow and are reused.
 */
export class TargetPairs {
  /** m. */
  examples = 0;
  /** P: pairs after merging. */
  count = 0;
  /** Example of each pair, ascending. */
  rows: Int32Array = new Int32Array(0);
  /** Slot of each pair's class. */
  slots: Int32Array = new Int32Array(0);
  /** Class of each pair. */
  pairClasses: Int32Array = new Int32Array(0);
  /** y of each pair. */
  weights: Float64Array = new Float64Array(0);
  /**
   * True if every example has exactly one pair: pair j is example j, and nothing has to be gathered or summed by
   * example.
   */
  isOneEach = true;
  /** Pairs of each slot. */
  pairsOfSlot: Int32Array = new Int32Array(0);
  /** Both pairs of each product that `listProducts` found, and its index j·m + k in an m×m matrix. */
  productFirst: Int32Array = new Int32Array(0);
  productSecond: Int32Array = new Int32Array(0);
  productPlace: Int32Array = new Int32Array(0);
  #lastPair: Int32Array = new Int32Array(0);
  #order: Int32Array = new Int32Array(0);
  #start: Int32Array = new Int32Array(0);
  readonly #distinct = new DistinctIndices();

  /** C: distinct classes touched. */
  get touched(): number {
    return this.#distinct.count;
  }

  /** Class of each slot, in order of first appearance. */
  get classes(): Int32Array {
    return this.#distinct.values;
  }

  /** Replaces the content by the pairs of `targets`, every weight times `scale`. The targets must have been checked. */
  build(targets: CsrRows, scale: number): void {
    const { rows, offsets, indices, values } = targets;
    const entries = offsets[rows]!;
    this.#reserve(entries);
    this.examples = rows;
    this.count = 0;
    this.isOneEach = true;
    this.#distinct.begin(entries);
    for (let row = 0; row < rows; row++) {
      const firstPair = this.count;
      for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++) {
        const weight = scale * (values === undefined ? 1 : values[entry]!);
        const slot = this.#slotOf(indices[entry]!);
        const last = this.#lastPair[slot]!;
        if (last >= firstPair) {
          this.weights[last]! += weight;
          continue;
        }
        this.rows[this.count] = row;
        this.slots[this.count] = slot;
        this.pairClasses[this.count] = indices[entry]!;
        this.weights[this.count] = weight;
        this.pairsOfSlot[slot]!++;
        this.#lastPair[slot] = this.count++;
      }
      if (this.count !== row + 1) this.isOneEach = false;
    }
  }

  /** Lists every ordered pair of pairs of the same class. @returns how many there are: Σ_c n_c². */
  listProducts(): number {
    let products = 0;
    for (let slot = 0; slot < this.touched; slot++) products += this.pairsOfSlot[slot]! ** 2;
    if (this.productFirst.length < products) {
      const room = Math.ceil(products * 1.5);
      this.productFirst = new Int32Array(room);
      this.productSecond = new Int32Array(room);
      this.productPlace = new Int32Array(room);
    }
    // Counting sort of the pairs by slot.
    const start = this.#start;
    start[0] = 0;
    for (let slot = 0; slot < this.touched; slot++) start[slot + 1] = start[slot]! + this.pairsOfSlot[slot]!;
    for (let pair = this.count - 1; pair >= 0; pair--) {
      const slot = this.slots[pair]!;
      this.#order[--start[slot + 1]!] = pair;
    }
    // Now start[slot + 1] is where the slot begins.
    let product = 0;
    for (let slot = 0; slot < this.touched; slot++) {
      const begin = start[slot + 1]!;
      const end = begin + this.pairsOfSlot[slot]!;
      for (let i = begin; i < end; i++) {
        for (let j = begin; j < end; j++) {
          const one = this.#order[i]!;
          const other = this.#order[j]!;
          this.productFirst[product] = one;
          this.productSecond[product] = other;
          this.productPlace[product++] = this.rows[one]! * this.examples + this.rows[other]!;
        }
      }
    }
    return products;
  }

  #slotOf(target: number): number {
    const known = this.#distinct.count;
    const slot = this.#distinct.slotOf(target);
    if (slot === known) {
      this.pairsOfSlot[slot] = 0;
      this.#lastPair[slot] = -1;
    }
    return slot;
  }

  #reserve(entries: number): void {
    if (this.rows.length >= entries) return;
    const room = Math.ceil(entries * 1.5);
    this.rows = new Int32Array(room);
    this.slots = new Int32Array(room);
    this.pairClasses = new Int32Array(room);
    this.weights = new Float64Array(room);
    this.pairsOfSlot = new Int32Array(room);
    this.#lastPair = new Int32Array(room);
    this.#order = new Int32Array(room);
    this.#start = new Int32Array(room + 1);
  }
}

/** The source of a step's rows of V: this process's own, or fetched from the ranks that store them. */
export type RowSource = Pick<FactoredWeights, 'refresh' | 'gatherCurrent'>;

export interface ForwardPass {
  readonly hidden: Matrix;
  /** H C, m×d. */
  readonly product: Matrix;
  /** r, m×1. */
  readonly squaredDeviations: Matrix;
  /** s, m×1. */
  readonly outputSum: Matrix;
  /** H̃, m×d, when the outputs came from it. */
  readonly projected: Matrix | undefined;
  /** H ω, m×1. */
  readonly shiftOutputs: Matrix;
  /** C×d rows of V, one for each slot, in the current rebase epoch. */
  readonly touchedRows: Matrix;
  /** P×d, for each pair the row of its class: of W, or of V when there is `projected`. */
  readonly pairClassRows: Matrix;
  /** P×1. */
  readonly outputs: Matrix;
  /** Example of each pair, slot of each pair, class of each slot. */
  readonly pairRows: Indices;
  readonly pairSlots: Indices;
  readonly slotClasses: Indices;
}

/**
 * @param store whether converted rows are stored back (training) or not (evaluation, which changes nothing).
 */
export function forwardPass(
  workspace: Workspace,
  weights: Pick<FactoredWeights, 'map' | 'shift' | 'centredGram' | 'columnSum'>,
  rows: RowSource,
  hidden: Matrix,
  pairs: TargetPairs,
  store: boolean,
): ForwardPass {
  const m = hidden.rows;
  const d = hidden.columns;
  const slotClasses = workspace.indices('slot classes', pairs.classes, pairs.touched);
  const pairRows = workspace.indices('pair rows', pairs.rows, pairs.count);
  const pairSlots = workspace.indices('pair slots', pairs.slots, pairs.count);

  const touchedRows = workspace.matrix('touched rows', pairs.touched, d);
  if (store) rows.refresh(pairs.classes, pairs.touched, slotClasses, touchedRows);
  else rows.gatherCurrent(pairs.classes, pairs.touched, slotClasses, touchedRows);

  const product = workspace.matrix('product', m, d);
  const squaredDeviations = workspace.matrix('squared deviations', m, 1);
  const outputSum = workspace.matrix('output sum', m, 1);
  const shiftOutputs = workspace.matrix('shift outputs', m, 1);
  gemm(hidden, weights.centredGram, product);
  rowDot(hidden, product, squaredDeviations);
  gemm(hidden, weights.columnSum, outputSum, { transposeB: true });
  gemm(hidden, weights.shift, shiftOutputs, { transposeB: true });

  let projected: Matrix | undefined;
  let classRows = touchedRows;
  if (pairs.touched <= m) {
    classRows = workspace.matrix('touched weights', pairs.touched, d);
    gemm(touchedRows, weights.map, classRows);
    binary('add', classRows, weights.shift, classRows);
  } else {
    projected = project(workspace, hidden, weights);
  }
  // One row for each pair; the slots are in order of first appearance.
  let pairClassRows = classRows;
  if (pairs.touched !== pairs.count) {
    pairClassRows = workspace.matrix('pair class rows', pairs.count, d);
    gatherRows(classRows, pairSlots, pairClassRows);
  }
  const outputs = workspace.matrix('outputs', pairs.count, 1);
  rowDot(pairClassRows, ofPairs(workspace, pairs, pairRows, 'pair side', projected ?? hidden), outputs);
  if (projected !== undefined)
    binary('add', outputs, ofPairs(workspace, pairs, pairRows, 'pair shift', shiftOutputs), outputs);
  return {
    hidden,
    product,
    squaredDeviations,
    outputSum,
    projected,
    shiftOutputs,
    touchedRows,
    pairClassRows,
    outputs,
    pairRows,
    pairSlots,
    slotClasses,
  };
}

/** H̃ = H Uᵀ, m×d. */
export function project(workspace: Workspace, hidden: Matrix, weights: Pick<FactoredWeights, 'map'>): Matrix {
  const projected = workspace.matrix('projected', hidden.rows, hidden.columns);
  gemm(hidden, weights.map, projected, { transposeB: true });
  return projected;
}

/** Row j of `ofExamples` for each pair of example j: itself when every example has one pair. */
export function ofPairs(
  workspace: Workspace,
  pairs: TargetPairs,
  pairRows: Indices,
  name: string,
  ofExamples: Matrix,
): Matrix {
  if (pairs.isOneEach) return ofExamples;
  const out = workspace.matrix(name, pairs.count, ofExamples.columns);
  gatherRows(ofExamples, pairRows, out);
  return out;
}
