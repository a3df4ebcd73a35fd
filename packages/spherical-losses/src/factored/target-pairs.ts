/**
 * The (example, target class) pairs of a minibatch, on the host: repeated targets of an example merged (their weights
 * add), and each distinct class given a slot, so that a row of V is fetched once however many examples want it.
 * O(number of targets), independent of D. Buffers grow and are kept.
 */
import { DistinctIndices, type CsrRows } from '@vastmax/sparse-data';

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
  /** Every example has exactly one pair, so pair j is example j: nothing has to be gathered by example or added up. */
  isOneEach = true;
  /** Pairs of each slot: pairs that share a class make the off-diagonal of ΓΓᵀ. */
  pairsOfSlot: Int32Array = new Int32Array(0);
  #lastPair: Int32Array = new Int32Array(0);
  readonly #distinct = new DistinctIndices();

  /** C: distinct classes touched. */
  get touched(): number {
    return this.#distinct.count;
  }

  /** Class of each slot, in order of first appearance. */
  get classes(): Int32Array {
    return this.#distinct.values;
  }

  /** Replace the content by the pairs of `targets`, every weight times `scale`. The targets must have been checked. */
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
  }
}
