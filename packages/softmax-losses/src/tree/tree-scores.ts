/**
 * log p of a range of classes under a tree softmax. A level's rows that are needed are those of whole nodes: their
 * outputs are one product, a node's k columns of it are k consecutive numbers of a row, so that m×(nodes·k) is the same
 * matrix as (m·nodes)×k, each row of which is normalised; then each node's own log p is added. The last node of a level
 * has fewer children and is computed apart. Of n classes O(m·n·d) at the leaves, a kth of that at each level above, and
 * all rows of the root.
 */
import {
  axpy,
  binary,
  copy,
  copyColumns,
  exponentiateRows,
  fill,
  scatterAddRows,
  unary,
  type Indices,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { TreeShape } from './tree-shape.ts';

/** A table whose rows are scored, wherever they are: those of the root, or of a level below it. */
export interface ScoredRows {
  readonly rows: number;
  /** Features and bias. */
  readonly width: number;
  /** Dot products of every hidden row with `out.columns` consecutive rows. */
  rangeScores(hidden: Matrix, first: number, out: Matrix): void;
  /** out_i = row indices_i; out count×width. */
  gather(indices: Indices, out: Matrix): void;
}

/** The tables of the root and of the levels below it. */
export type TreeTables = readonly ScoredRows[];

/** Log-probabilities of ranges of classes under a tree, and vectors of classes, from the tables of its levels. */
export class TreeScores {
  readonly #workspace: Workspace;
  readonly #tables: TreeTables;

  constructor(workspace: Workspace, tables: TreeTables) {
    this.#workspace = workspace;
    this.#tables = tables;
  }

  /** @param hidden m×width, with the bias feature. @param out m×count. */
  range(hidden: Matrix, shape: TreeShape, firstClass: number, out: Matrix): void {
    const root = this.#rootLogs(hidden);
    const listed = Math.min(Math.max(0, shape.shortlist - firstClass), out.columns);
    copyColumns(root, listed === 0 ? 0 : firstClass, out, 0, listed);
    if (listed === out.columns) return;
    const below = this.#matrix('below', hidden.rows, out.columns - listed);
    this.#rows(hidden, shape, shape.levels, firstClass + listed - shape.shortlist, below);
    copyColumns(below, 0, out, listed, below.columns);
  }

  /**
   * The vector of each class that multiplies h in log p, apart from the normalisers: the sum of the rows on its path.
   * @param out count×features.
   */
  vectors(shape: TreeShape, firstClass: number, out: Matrix): void {
    const { rows: count, columns: features } = out;
    const [{ width }] = this.#tables as readonly [ScoredRows];
    const sums = this.#matrix('vector sums', count, width);
    fill(0, sums);
    for (const [level, table] of this.#tables.entries()) {
      // Classes of the shortlist, which are the first, have a row at the root only.
      const skipped = level === 0 ? 0 : Math.min(Math.max(0, shape.shortlist - firstClass), count);
      if (skipped === count) break;
      const places = Int32Array.from({ length: count - skipped }, (_, i) => skipped + i);
      const rows = this.#matrix('vector rows', count - skipped, width);
      const own = places.map((place) => shape.rowOf(level, firstClass + place));
      table.gather(this.#workspace.indices('vector row list', own), rows);
      scatterAddRows(rows, this.#workspace.indices('vector places', places), sums);
    }
    copyColumns(sums, 0, out, 0, features);
  }

  /** log p of rows `first` … of a level, m×count; of level 0 the nodes below the root, without the shortlist. */
  #rows(hidden: Matrix, shape: TreeShape, level: number, first: number, out: Matrix): void {
    if (level === 0) {
      const root = this.#matrix('root outputs', hidden.rows, shape.rowsOf(0));
      copyColumns(root, shape.shortlist + first, out, 0, out.columns);
      return;
    }
    const { fanOut } = shape;
    const rows = shape.rowsOf(level);
    const end = first + out.columns;
    const wholeEnd = rows - (rows % fanOut);
    const from = shape.firstSibling(first);
    const to = Math.min(wholeEnd, Math.ceil(end / fanOut) * fanOut);
    if (from < to) this.#nodes(hidden, shape, { level, from, count: to - from, children: fanOut }, first, out);
    if (end > wholeEnd) {
      const count = rows - wholeEnd;
      this.#nodes(hidden, shape, { level, from: wholeEnd, count, children: count }, first, out);
    }
  }

  /** log p of the rows of some nodes, written to where they are in `out`, which begins with row `first`. */
  #nodes(
    hidden: Matrix,
    shape: TreeShape,
    { level, from, count, children }: Siblings,
    first: number,
    out: Matrix,
  ): void {
    const m = hidden.rows;
    const nodes = count / children;
    const of = `${children === shape.fanOut ? 'whole nodes' : 'last node'} ${level}`;
    const parents = this.#matrix(`parents of ${of}`, m, nodes);
    this.#rows(hidden, shape, level - 1, from / shape.fanOut, parents);
    const outputs = this.#matrix(`outputs of ${of}`, m, count);
    this.#tables[level]!.rangeScores(hidden, from, outputs);
    outputs.resize(m * nodes, children);
    binary('subtract', outputs, this.#logPartition(outputs), outputs);
    binary('add', outputs, parents.resize(m * nodes, 1), outputs);
    const begin = Math.max(first, from);
    const end = Math.min(first + out.columns, from + count);
    copyColumns(outputs.resize(m, count), begin - from, out, begin - first, end - begin);
  }

  /** log p of all rows of the root. */
  #rootLogs(hidden: Matrix): Matrix {
    const table = this.#tables[0]!;
    const outputs = this.#matrix('root outputs', hidden.rows, table.rows);
    table.rangeScores(hidden, 0, outputs);
    binary('subtract', outputs, this.#logPartition(outputs), outputs);
    return outputs;
  }

  /** log Σ exp of each row. */
  #logPartition(outputs: Matrix): Matrix {
    const { rows, columns } = outputs;
    const exponentials = this.#matrix('exponentials', rows, columns);
    const maxima = this.#matrix('maxima', rows, 1);
    const result = this.#matrix('log partition', rows, 1);
    copy(outputs, exponentials);
    exponentiateRows(exponentials, maxima, result);
    unary('log', result, result);
    axpy(1, maxima, result);
    return result;
  }

  #matrix(name: string, rows: number, columns: number): Matrix {
    return this.#workspace.matrix(`tree score ${name}`, rows, columns);
  }
}

/** Rows of whole nodes: `count` from `from` on of a level, `children` of each node. */
interface Siblings {
  readonly level: number;
  readonly from: number;
  readonly count: number;
  readonly children: number;
}
