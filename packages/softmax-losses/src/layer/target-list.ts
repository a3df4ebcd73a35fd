/**
 * A minibatch's targets as a flat list on the host: one entry for each (example, class, weight). A softmax loss is
 * linear in the target weights, so an example's repeated classes need no merging: both entries count. O(number of
 * targets); the buffers are kept.
 */
import type { CsrRows } from '@vastmax/sparse-data';

export class TargetList {
  /** m. */
  examples = 0;
  count = 0;
  /** Example of each entry, ascending. */
  rows: Int32Array = new Int32Array(0);
  classes: Int32Array = new Int32Array(0);
  /** y of each entry. */
  weights: Float64Array = new Float64Array(0);

  /** Begin a new list of at most `entries` entries. */
  begin(examples: number, entries: number): void {
    this.#reserve(entries);
    this.examples = examples;
    this.count = 0;
  }

  /**
   * Replace the content; targets of weight 0 are left out. They must have been checked.
   * @param ignored a class left out likewise.
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

  /** The same entries with other classes: `classOf` of each. */
  buildFrom(targets: TargetList, classOf: Int32Array): void {
    this.begin(targets.examples, targets.count);
    for (let entry = 0; entry < targets.count; entry++)
      this.add(targets.rows[entry]!, classOf[targets.classes[entry]!]!, targets.weights[entry]!);
  }

  /** Append an entry, within the room that `begin` made. */
  add(row: number, target: number, weight: number): void {
    this.rows[this.count] = row;
    this.classes[this.count] = target;
    this.weights[this.count++] = weight;
  }

  #reserve(entries: number): void {
    if (this.rows.length >= entries) return;
    const room = Math.ceil(entries * 1.5);
    this.rows = new Int32Array(room);
    this.classes = new Int32Array(room);
    this.weights = new Float64Array(room);
  }
}
