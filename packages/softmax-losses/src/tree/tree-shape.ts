/**
 * The tree of a tree softmax. Its classes are numbered by falling frequency; the first ones, the shortlist, are children
 * of the root, the others leaves below it. A node below the root has k children, the last one of a level what is left:
 *
 *     level q, the leaves    n rows             n = D − shortlist
 *     level q − 1            ⌈n / k⌉ rows       each the parent of k rows of level q, in order
 *     …
 *     root                   shortlist + ⌈n / k^q⌉ rows
 *
 * So the children of a node are consecutive rows of a level's table, and the path to a class is arithmetic: there are no
 * lists of D numbers.
 *
 * The fan-outs are chosen by cost. The root's rows serve all examples of a minibatch in products of matrices and may be
 * many; those of other nodes serve an example or two and are read from memory for each, so that they are few. Two
 * levels of √D rows were rejected: at a million classes a step reads a thousand cold rows for each example.
 */
import { checkWhole } from '../layer/layer-options.ts';

/** Where the shape is chosen: most children of a node below the root, and most children of the root that are nodes. */
const maxFanOut = 64;
/** The most nodes below the root: their softmax is dense. */
export const maxRootNodes = 512;

export interface TreeSizes {
  /** D. */
  readonly classes: number;
  /** Classes that are children of the root. */
  readonly shortlist: number;
  /** k. */
  readonly fanOut: number;
  /** q, the levels below the root. */
  readonly levels: number;
}

/** What is known of a shape: the rest is chosen by cost. */
export interface TreeOptions {
  /** D. */
  readonly classes: number;
  /** Default 0. */
  readonly shortlist?: number;
  readonly fanOut?: number;
  readonly levels?: number;
}

/**
 * As few levels as make a root of at most 512 nodes with at most 64 children each, and the fewest children that do.
 * O(1).
 */
export function chooseTreeSizes({ classes, shortlist = 0, fanOut: given, levels: depth }: TreeOptions): TreeSizes {
  const below = classes - shortlist;
  let levels = depth ?? 0;
  while (depth === undefined && below > maxRootNodes * (given ?? maxFanOut) ** levels) levels++;
  let fanOut = given ?? 2;
  while (given === undefined && levels > 0 && maxRootNodes * fanOut ** levels < below) fanOut++;
  return { classes, shortlist, fanOut, levels };
}

/** Which nodes a tree has on each level, and the path to each class. */
export class TreeShape implements TreeSizes {
  readonly classes: number;
  readonly shortlist: number;
  readonly fanOut: number;
  readonly levels: number;
  /** Leaves below a row of each level, level 0 being the root's nodes: k^(q − level). */
  readonly #leaves: readonly number[];

  constructor({ classes, shortlist, fanOut, levels }: TreeSizes) {
    this.classes = classes;
    this.shortlist = shortlist;
    this.fanOut = fanOut;
    this.levels = levels;
    this.#leaves = Array.from({ length: levels + 1 }, (_, level) => fanOut ** (levels - level));
  }

  /** Rows of a level from 1 to q, or of the root, 0. */
  rowsOf(level: number): number {
    const rows = Math.ceil((this.classes - this.shortlist) / this.#leaves[level]!);
    return level === 0 ? this.shortlist + rows : rows;
  }

  isBelowRoot(target: number): boolean {
    return target >= this.shortlist;
  }

  /** The row of a class, or of its ancestor, at a level; of the root for every class, of others for those below it. */
  rowOf(level: number, target: number): number {
    if (level === 0 && target < this.shortlist) return target;
    const row = Math.floor((target - this.shortlist) / this.#leaves[level]!);
    return level === 0 ? this.shortlist + row : row;
  }

  /** The first of the rows that are siblings of `row` at a level from 1 on. */
  firstSibling(row: number): number {
    return row - (row % this.fanOut);
  }

  /** The first class below a row of a level, and how many classes are. */
  classesBelow(level: number, row: number): { readonly first: number; readonly count: number } {
    if (level === 0 && row < this.shortlist) return { first: row, count: 1 };
    const leaves = this.#leaves[level]!;
    const first = this.shortlist + (level === 0 ? row - this.shortlist : row) * leaves;
    return { first, count: Math.min(leaves, this.classes - first) };
  }

  /** The same tree with more classes at the end; a root without levels below it gets them itself. */
  grown(count: number): TreeShape {
    return new TreeShape({ ...this.sizes, classes: this.classes + count });
  }

  get sizes(): TreeSizes {
    const { classes, shortlist, fanOut, levels } = this;
    return { classes, shortlist, fanOut, levels };
  }
}

/** @throws OutputLayerError `bad-option`. */
export function checkTreeOptions(kind: string, { classes, shortlist, fanOut, levels }: TreeOptions): void {
  if (shortlist !== undefined) checkWhole(kind, 'shortlist', shortlist, 0, classes);
  if (fanOut !== undefined) checkWhole(kind, 'fanOut', fanOut, 2, 2 ** 20);
  if (levels !== undefined) checkWhole(kind, 'levels', levels, 0, 30);
}

/**
 * The tables of a tree softmax, the root first and the leaves last: their names, as in its state, and rows. O(1).
 * @throws OutputLayerError `bad-option`.
 */
export function treeTables(options: TreeOptions): readonly { readonly name: string; readonly rows: number }[] {
  checkTreeOptions('tree-softmax', options);
  const shape = new TreeShape(chooseTreeSizes(options));
  return Array.from({ length: shape.levels + 1 }, (_, level) => ({
    name: tableName(level),
    rows: shape.rowsOf(level),
  }));
}

/** The name of the table of a level in a saved module. */
export function tableName(level: number): string {
  return level === 0 ? 'root' : `level.${level}`;
}
