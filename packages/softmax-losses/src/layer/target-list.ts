/**
 * A minibatch's targets as a flat list on the host: one entry for each (example, class, weight). A softmax loss is
 * linear in the target weights, so repeated classes of an example need not be merged: both entries count. O(number of
 * targets); the buffers are reused.
 */
import type { CsrRows } from '@vastmax/sparse-data';

/** The targets of a minibatch as flat lists of example, class and weight, used again by the next step. */
export class TargetList {
  /** m. */
  examples = 0;
  count = 0;
  /** Example of each entry, ascending. */
  rows: Int32Array = new Int32Array(0);
  classes: Int32Array = new Int32Array(0);
  /** y of each entry. */
  weights: Float64Array = new Float64Array(0);

  /** Begins a new list of at most `entries` entries. */
  begin(examples: number, entries: number): void {
    this.#reserve(entries);
    this.examples = examples;
    this.count = 0;
  }

  /**
   * Replaces the content; targets of weight 0 are left out. The caller has checked the targets.
   * @param ignored a class whose targets are also left out.
   */
  build({ rows, offsets, indices, values }: CsrRows, ignored = -1): void {
    this.begin(rows, offsets[rows]!);
    for (let row = 0; row < rows; row++) {
      for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++) {
        const weight = values === undefined ? 1 : values[entry]!;
        if (weight !== 0 && indices[entry] !== ignored) this.add(row, indices[entry]!, weight);
      }
    }
  }

  /** One class of weight 1 for each example. */
  buildSingle(classes: Int32Array): void {
    this.begin(classes.length, classes.length);
    for (let row = 0; row < classes.length; row++) this.add(row, classes[row]!, 1);
  }

  /** The same entries, with each class replaced by `classOf[class]`. */
  buildFrom(targets: TargetList, classOf: Int32Array): void {
    this.begin(targets.examples, targets.count);
    for (let entry = 0; entry < targets.count; entry++)
      this.add(targets.rows[entry]!, classOf[targets.classes[entry]!]!, targets.weights[entry]!);
  }

  /** Appends an entry, within the capacity given to `begin`. */
  add(row: number, target: number, weight: number): void {
    this.rows[this.count] = row;
    this.classes[this.count] = target;
    this.weights[this.count++] = weight;
  }

  #reserve(entries: number): void {
    if (this.rows.length >= entries) return;
    const capacity = Math.ceil(entries * 1.5);
    this.rows = new Int32Array(capacity);
    this.classes = new Int32Array(capacity);
    this.weights = new Float64Array(capacity);
  }
}
