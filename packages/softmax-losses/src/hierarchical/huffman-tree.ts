/**
 * The Huffman code of the classes (D. Huffman 1952) as parent pointers: 5 bytes for each class and each inner node;
 * lists of whole paths would need memory for the sum of all depths. It is built from two queues: the classes by
 * ascending frequency, and the inner nodes in order of creation, whose weights are ascending too. If weights are equal,
 * the class is taken first, which keeps the tree shallow. O(D log D) for the sort.
 */
import { classesByFrequency } from '../class-table/frequency-order.ts';
import type { TargetList } from '../layer/target-list.ts';

export class HuffmanTree {
  readonly classes: number;
  /**
   * Parent of each vertex. Vertices 0 … D − 1 are the classes, D … 2D − 2 the inner nodes; the last one is the root,
   * and is its own parent.
   */
  readonly parents: Int32Array;
  /** 1 if a vertex is the second child of its parent. */
  readonly isSecond: Uint8Array;

  constructor(frequencies: ArrayLike<number>) {
    const classes = frequencies.length;
    this.classes = classes;
    this.parents = new Int32Array(2 * classes - 1);
    this.isSecond = new Uint8Array(2 * classes - 1);
    const ascending = classesByFrequency(frequencies).reverse();
    const weights = new Float64Array(classes - 1);
    let nextClass = 0;
    let nextNode = 0;
    for (let node = 0; node < classes - 1; node++) {
      for (let branch = 0; branch < 2; branch++) {
        const ofClass = nextClass < classes ? frequencies[ascending[nextClass]!]! : Infinity;
        const ofNode = nextNode < node ? weights[nextNode]! : Infinity;
        const takesClass = ofClass <= ofNode && nextClass < classes;
        const vertex = takesClass ? ascending[nextClass++]! : classes + nextNode++;
        this.parents[vertex] = classes + node;
        this.isSecond[vertex] = branch;
        weights[node]! += takesClass ? ofClass : ofNode;
      }
    }
    this.parents[this.root] = this.root;
  }

  /** D − 1. */
  get nodes(): number {
    return this.classes - 1;
  }

  get root(): number {
    return 2 * this.classes - 2;
  }

  /** Row of an inner node in the table of nodes. */
  rowOf(vertex: number): number {
    return vertex - this.classes;
  }

  /** Length of a class's code. O(depth). */
  depthOf(target: number): number {
    let depth = 0;
    for (let vertex = target; vertex !== this.root; vertex = this.parents[vertex]!) depth++;
    return depth;
  }
}

/**
 * The (example, inner node) pairs on the codes of a minibatch's targets, on the host. O(Σ code lengths); the buffers
 * are reused.
 */
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
    const capacity = Math.max(256, 2 * this.nodes.length);
    const grownIntegers = (old: Int32Array): Int32Array => {
      const grown = new Int32Array(capacity);
      grown.set(old);
      return grown;
    };
    const grownNumbers = (old: Float64Array): Float64Array => {
      const grown = new Float64Array(capacity);
      grown.set(old);
      return grown;
    };
    this.examples = grownIntegers(this.examples);
    this.nodes = grownIntegers(this.nodes);
    this.signs = grownNumbers(this.signs);
    this.weights = grownNumbers(this.weights);
  }
}
