/**
 * The target entries of a minibatch in order of their class, so that each block of classes finds its own. O(P log P)
 * for P targets.
 */
import { scatterAddRows, write, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { TargetList } from '../layer/target-list.ts';

export class BlockTargets {
  /** class·P + entry of each entry, ascending: one number to sort by. */
  #keys: Float64Array = new Float64Array(0);
  #values: Float64Array = new Float64Array(0);
  #places: Int32Array = new Int32Array(0);
  #blockValues: Float64Array = new Float64Array(0);
  #targets: TargetList | undefined;
  #count = 0;
  #next = 0;

  /** Begin a pass over the blocks in ascending order. @param valueOf what an entry adds at its place. */
  sort(targets: TargetList, valueOf: (entry: number) => number): void {
    const { count } = targets;
    if (this.#places.length < count) {
      const room = Math.ceil(count * 1.5);
      this.#keys = new Float64Array(room);
      this.#values = new Float64Array(room);
      this.#places = new Int32Array(room);
      this.#blockValues = new Float64Array(room);
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

  /** Add the entries of the next block, whose classes begin at `first`, to its m×count matrix at (example, class). */
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
    // Room for all entries from the first block on, so that later blocks and steps create no handle.
    const values = workspace.matrix(`${name} block values`, this.#count, 1).resize(found, 1);
    if (found === 0) return;
    workspace.indices(`${name} block places`, this.#places, this.#count);
    write(this.#blockValues.subarray(0, found), values);
    // A scatter adds whole rows: seen as one column, the block has its elements for rows.
    scatterAddRows(values, workspace.indices(`${name} block places`, this.#places, found), block.resize(m * count, 1));
    block.resize(m, count);
  }
}
