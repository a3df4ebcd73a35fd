/**
 * The targets of a minibatch at one level below the root of a tree, on the host. Each (node, example) pair is a slot, in
 * the order of the nodes; each target below the root is an entry of the slot of its node. So an example's softmax over
 * the children of a node is computed once. O(P log P) for P targets; the buffers are reused.
 */
import type { TargetList } from '../layer/target-list.ts';
import type { TreeShape } from './tree-shape.ts';

export class LevelSlots {
  /** Numbers of slots, entries, and different nodes. */
  slots = 0;
  entries = 0;
  nodes = 0;
  /** The first row of the node's children, the example and Σ y of each slot. */
  starts: Int32Array = new Int32Array(0);
  examples: Int32Array = new Int32Array(0);
  amounts: Float64Array = new Float64Array(0);
  /** Where the slot's node has its rows in a matrix of those of all nodes of the minibatch. */
  nodeStarts: Int32Array = new Int32Array(0);
  /** The slot, the example, the row and y of each entry. */
  entrySlots: Int32Array = new Int32Array(0);
  entryExamples: Int32Array = new Int32Array(0);
  entryRows: Int32Array = new Int32Array(0);
  weights: Float64Array = new Float64Array(0);
  /** start·P + entry of each entry, ascending: a single sort key. */
  #keys: Float64Array = new Float64Array(0);

  build(targets: TargetList, shape: TreeShape, level: number): void {
    const { count, classes } = targets;
    this.#reserve(count);
    this.entries = 0;
    for (let entry = 0; entry < count; entry++) {
      if (!shape.isBelowRoot(classes[entry]!)) continue;
      this.#keys[this.entries++] = shape.firstSibling(shape.rowOf(level, classes[entry]!)) * count + entry;
    }
    this.#keys.subarray(0, this.entries).sort();
    this.slots = 0;
    this.nodes = 0;
    for (let place = 0; place < this.entries; place++) {
      const entry = this.#keys[place]! % count;
      const start = (this.#keys[place]! - entry) / count;
      const example = targets.rows[entry]!;
      const last = this.slots - 1;
      const isNode = last >= 0 && this.starts[last] === start;
      if (!isNode) this.nodes++;
      // The entries of a node are in the order of their examples.
      if (!isNode || this.examples[last] !== example) {
        this.starts[this.slots] = start;
        this.nodeStarts[this.slots] = (this.nodes - 1) * shape.fanOut;
        this.examples[this.slots] = example;
        this.amounts[this.slots++] = 0;
      }
      this.amounts[this.slots - 1]! += targets.weights[entry]!;
      this.entrySlots[place] = this.slots - 1;
      this.entryExamples[place] = example;
      this.entryRows[place] = shape.rowOf(level, classes[entry]!);
      this.weights[place] = targets.weights[entry]!;
    }
  }

  #reserve(count: number): void {
    if (this.#keys.length >= count) return;
    const capacity = Math.ceil(count * 1.5);
    this.starts = new Int32Array(capacity);
    this.examples = new Int32Array(capacity);
    this.amounts = new Float64Array(capacity);
    this.nodeStarts = new Int32Array(capacity);
    this.entrySlots = new Int32Array(capacity);
    this.entryExamples = new Int32Array(capacity);
    this.entryRows = new Int32Array(capacity);
    this.weights = new Float64Array(capacity);
    this.#keys = new Float64Array(capacity);
  }
}
