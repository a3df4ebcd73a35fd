/**
 * log p of a range of classes. The output of each node on the union of their paths is computed once; log probabilities
 * are then summed down the tree, level by level, as a nodes×m matrix. If the classes of a range have similar
 * frequencies, they share most of their paths, and there are about as many nodes as classes. In the worst case the
 * number of nodes is the sum of the depths.
 */
import {
  affine,
  binary,
  fill,
  gatherRows,
  gemm,
  scatterRows,
  unary,
  type Indices,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import { DistinctIndices } from '@vastmax/sparse-data';
import type { ClassTable } from '../class-table/class-table.ts';
import { addTransposed } from '../layer/transpose.ts';
import type { HuffmanTree } from './huffman-tree.ts';

export class HuffmanScores {
  readonly #workspace: Workspace;
  readonly #table: ClassTable;
  readonly #tree: HuffmanTree;
  readonly #distinct = new DistinctIndices();

  constructor(workspace: Workspace, table: ClassTable, tree: HuffmanTree) {
    this.#workspace = workspace;
    this.#table = table;
    this.#tree = tree;
  }

  /** @param hidden m×width, with the bias feature. @param out m×count. */
  range(hidden: Matrix, firstClass: number, out: Matrix): void {
    const { parents, isSecond } = this.#tree;
    const m = hidden.rows;
    const levels = this.#levels(firstClass, out.columns);
    const nodes = this.#distinct.count;
    const branches = this.#branches(hidden, nodes);
    // log p of reaching each node. For a vertex it is that of its parent plus that of the branch from the parent to it.
    const reached = this.#matrix('reached', nodes, m);
    fill(0, reached);
    const below = (name: string, vertices: readonly number[]): Matrix => {
      const parentSlots = vertices.map((vertex) => this.#distinct.slotOf(parents[vertex]!));
      const sums = this.#matrix(`${name} sums`, vertices.length, m);
      const steps = this.#matrix(`${name} steps`, vertices.length, m);
      gatherRows(reached, this.#indices(`${name} parents`, parentSlots), sums);
      gatherRows(
        branches,
        this.#indices(
          `${name} branches`,
          parentSlots.map((slot, i) => slot + nodes * isSecond[vertices[i]!]!),
        ),
        steps,
      );
      binary('add', sums, steps, sums);
      return sums;
    };
    for (const level of levels) {
      scatterRows(
        below('level', level),
        this.#indices(
          'level slots',
          level.map((vertex) => this.#distinct.slotOf(vertex)),
        ),
        reached,
      );
    }
    addTransposed(
      this.#workspace,
      below(
        'class',
        Array.from({ length: out.columns }, (_, i) => firstClass + i),
      ),
      out,
      0,
    );
  }

  /** Gives each inner node above the classes a slot; returns the inner nodes below the root, by depth. */
  #levels(firstClass: number, count: number): readonly (readonly number[])[] {
    const { parents, root } = this.#tree;
    const distinct = this.#distinct;
    const depths: number[] = [];
    const levels: number[][] = [];
    let capacity = 0;
    for (let target = firstClass; target < firstClass + count; target++) capacity += this.#tree.depthOf(target);
    distinct.begin(Math.min(capacity, this.#tree.nodes));
    depths[distinct.slotOf(root)] = 0;
    for (let target = firstClass; target < firstClass + count; target++) {
      const path: number[] = [];
      let vertex = parents[target]!;
      for (let known = distinct.count; distinct.slotOf(vertex) === known; known++) {
        path.push(vertex);
        vertex = parents[vertex]!;
      }
      let depth = depths[distinct.slotOf(vertex)]!;
      for (const node of path.reverse()) {
        depths[distinct.slotOf(node)] = ++depth;
        (levels[depth - 1] ??= []).push(node);
      }
    }
    return levels;
  }

  /** log σ(x) of every node in the first `nodes` rows, log σ(−x) in the next `nodes` rows. */
  #branches(hidden: Matrix, nodes: number): Matrix {
    const m = hidden.rows;
    const rows = this.#matrix('rows', nodes, this.#table.width);
    const tableRows = this.#distinct.values.subarray(0, nodes).map((vertex) => this.#tree.rowOf(vertex));
    this.#table.gather(this.#workspace.indices('huffman score nodes', tableRows), rows);
    const outputs = this.#matrix('outputs', nodes, m);
    gemm(rows, hidden, outputs, { transposeB: true });
    const branches = this.#matrix('branches', 2 * nodes, m);
    const part = this.#matrix('branch part', nodes, m);
    for (const [half, sign] of [-1, 1].entries()) {
      affine(outputs, sign, 0, part);
      unary('softplus', part, part);
      affine(part, -1, 0, part);
      scatterRows(part, this.#table.range(half * nodes, nodes, 'huffman score half'), branches);
    }
    return branches;
  }

  #indices(name: string, values: readonly number[]): Indices {
    return this.#workspace.indices(`huffman score ${name}`, Int32Array.from(values));
  }

  #matrix(name: string, rows: number, columns: number): Matrix {
    return this.#workspace.matrix(`huffman score ${name}`, rows, columns);
  }
}
