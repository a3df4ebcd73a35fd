/**
 * The (example, inner node) pairs on the codes of a minibatch's targets, on the host. O(Σ code lengths); the buffers
 * are kept.
 */
import type { TargetList } from '../layer/target-list.ts';
import type { HuffmanTree } from './huffman-tree.ts';

export class HuffmanPairs {
  count = 0;
  examples: Int32Array = new Int32Array(0);
  /** Row of the nodes' table. */
  nodes: Int32Array = new Int32Array(0);
  /** 1 for the first branch, −1 for the second. */
  signs: Float64Array = new Float64Array(0);
  /** y of the target. */
  weights: Float64Array = new Float64Array(0);

  build(targets: TargetList, tree: HuffmanTree): void {
    this.count = 0;
    for (let entry = 0; entry < targets.count; entry++) {
      for (let vertex = targets.classes[entry]!; vertex !== tree.root; vertex = tree.parents[vertex]!) {
        if (this.count === this.nodes.length) this.#grow();
        this.examples[this.count] = targets.rows[entry]!;
        this.nodes[this.count] = tree.rowOf(tree.parents[vertex]!);
        this.signs[this.count] = tree.isSecond[vertex] === 1 ? -1 : 1;
        this.weights[this.count++] = targets.weights[entry]!;
      }
    }
  }

  #grow(): void {
    const room = Math.max(256, 2 * this.nodes.length);
    const grownIntegers = (old: Int32Array): Int32Array => {
      const grown = new Int32Array(room);
      grown.set(old);
      return grown;
    };
    const grownNumbers = (old: Float64Array): Float64Array => {
      const grown = new Float64Array(room);
      grown.set(old);
      return grown;
    };
    this.examples = grownIntegers(this.examples);
    this.nodes = grownIntegers(this.nodes);
    this.signs = grownNumbers(this.signs);
    this.weights = grownNumbers(this.weights);
  }
}
