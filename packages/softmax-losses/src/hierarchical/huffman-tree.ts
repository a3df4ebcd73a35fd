/**
 * The Huffman code of the classes (D. Huffman 1952) as parent pointers: 5 bytes for each class and each inner node,
 * where lists of whole paths would need the sum of all depths. Built from two queues, classes by ascending frequency
 * and inner nodes in order of creation, whose weights ascend by themselves; of equal weights the class goes first,
 * which keeps the tree shallow. O(D log D) for the sort.
 */
import { classesByFrequency } from '../class-table/frequency-order.ts';

export class HuffmanTree {
  readonly classes: number;
  /** Parent of each vertex: classes 0 … D − 1, inner nodes from D on, the root, the last one, is its own. */
  readonly parents: Int32Array;
  /** 1 where a vertex is its parent's second branch. */
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

  /** Row of the nodes' table for an inner vertex. */
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
