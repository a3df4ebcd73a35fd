/**
 * Softmax over a tree of classes, p(c | h) = Π p(child | node, h) along the path from the root to c, each factor a
 * softmax over the children of a node (F. Morin and Y. Bengio, AISTATS 2005; A. Mnih and G. Hinton, NIPS 2008). Nodes
 * have many children, so that paths are short. TreeShape says which. The gradient is exact, and a step touches only the
 * nodes on the paths to the targets.
 */
import { axpy, fill, Workspace, writeRows, type Backend, type Matrix } from '@vastmax/linalg-core';
import type { JsonObject, ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import { withBiasFeature, withoutBiasFeature } from '@vastmax/output-layer';
import { checkAddedRows, ClassTable } from '../class-table/class-table.ts';
import { BlockedSoftmax } from '../full/blocked-softmax.ts';
import { checkLayerOptions, checkPerClass, weightOptions, type SoftmaxLayerOptions } from '../layer/layer-options.ts';
import { SoftmaxLayer } from '../layer/softmax-layer.ts';
import type { ForwardResult, SoftmaxMethod, TrainingBatch } from '../layer/softmax-method.ts';
import { TargetList } from '../layer/target-list.ts';
import { LevelSoftmax } from './level-softmax.ts';
import { TreeScores } from './tree-scores.ts';
import { checkTreeOptions, chooseTreeSizes, tableName, TreeShape } from './tree-shape.ts';

const kind = 'tree-softmax';

/** The shape of the tree: how many classes are at the root, children of a node, and levels. */
export interface TreeSoftmaxOptions extends SoftmaxLayerOptions {
  /**
   * How often each class occurs. The biases of a node's children then start at the logs of these numbers (of their sums
   * for inner nodes; at least ½ for a class), so that training starts from the unigram probabilities. Default: once.
   * Number the classes by falling frequency.
   */
  readonly frequencies?: ArrayLike<number>;
  /** Classes that are children of the root, the first ones; default 0. */
  readonly shortlist?: number;
  /** Children of a node below the root; default: the fewest with which the root has at most 512 nodes. */
  readonly fanOut?: number;
  /** Levels below the root; default: the fewest with which fan-outs of at most 64 do. */
  readonly levels?: number;
}

/** A tree softmax layer; {@link TreeSoftmax.addClasses} through {@link SoftmaxLayer.change}. */
export type TreeSoftmaxLayer = SoftmaxLayer<TreeSoftmax>;

/**
 * Creates the layer. Cost of a step for each target: 6d operations for each row of the root (at most the shortlist and
 * 512 nodes) and for each child of the nodes on the path, at most 64 a level; there are ⌈log₆₄((D − shortlist)/512)⌉
 * levels below the root. Memory: 4(d + 1) bytes for each class, and for each inner node.
 * @throws OutputLayerError `bad-option`, `non-finite`; LinalgError `out-of-memory`.
 */
export async function createTreeSoftmaxLayer(backend: Backend, options: TreeSoftmaxOptions): Promise<TreeSoftmaxLayer> {
  checkLayerOptions(kind, options);
  checkTreeOptions(kind, options);
  const { classes, frequencies } = options;
  if (frequencies !== undefined) checkPerClass(kind, 'frequencies', frequencies, classes, 0);
  const layer = new SoftmaxLayer(new TreeSoftmax(backend, options), weightOptions(options).rule, options.reduction);
  await backend.synchronize();
  return layer;
}

/** A tree of softmaxes over consecutive classes: a step visits the nodes of its targets alone. */
export class TreeSoftmax implements SoftmaxMethod {
  readonly kind: string = kind;
  readonly isNormalized = true;
  readonly features: number;
  readonly workspace: Workspace;
  #shape: TreeShape;
  /** Of the root and of each level below it, the leaves last. */
  readonly #tables: readonly ClassTable[];
  #root: BlockedSoftmax;
  readonly #levels: readonly LevelSoftmax[];
  readonly #scores: TreeScores;
  /** The children of the root on the paths to the targets. */
  readonly #rootTargets = new TargetList();
  readonly #singleTargets = new TargetList();

  constructor(backend: Backend, options: TreeSoftmaxOptions) {
    const { features, frequencies } = options;
    const weights = weightOptions(options);
    this.features = features;
    this.workspace = new Workspace(backend);
    const shape = new TreeShape(chooseTreeSizes(options));
    this.#shape = shape;
    const tables: ClassTable[] = [];
    try {
      for (let level = 0; level <= shape.levels; level++) {
        const initialBiases = weights.bias ? initialBiasesOf(shape, level, frequencies) : undefined;
        tables.push(
          new ClassTable(
            backend,
            {
              name: tableName(level),
              rows: shape.rowsOf(level),
              features,
              ...weights,
              seed: weights.seed + level,
              ...(initialBiases === undefined ? {} : { initialBiases }),
            },
            this.workspace,
          ),
        );
      }
    } catch (error) {
      for (const table of tables) table[Symbol.dispose]();
      throw error;
    }
    this.#tables = tables;
    this.#root = this.#rootSoftmax();
    this.#levels = tables.slice(1).map((table, i) => new LevelSoftmax(table, this.workspace, i + 1));
    this.#scores = new TreeScores(this.workspace, tables);
  }

  get classes(): number {
    return this.#shape.classes;
  }

  /** Of a row: the features, and the bias if there is one. */
  get width(): number {
    return this.#tables[0]!.width;
  }

  forward({ hidden, targets }: TrainingBatch): ForwardResult {
    // Where the losses are finite, so are the gradients: they are combinations of weights with factors up to the targets.
    return { losses: this.#losses(hidden, targets, { keep: true }), watched: [] };
  }

  update({ hidden, factors }: TrainingBatch, learningRate: number, step: number): Matrix {
    const extended = this.#extended(hidden);
    const gradient = this.workspace.matrix('hidden gradient', hidden.rows, this.width);
    fill(0, gradient);
    this.#root.update(extended, this.#rootTargets, factors, gradient, { learningRate, step });
    for (const level of this.#levels) {
      level.addHiddenGradient(factors, gradient);
      level.update(extended, { learningRate, step });
    }
    return withoutBiasFeature(this.workspace, gradient, this.features);
  }

  computeLosses(hidden: Matrix, targets: TargetList): Matrix {
    return this.#losses(hidden, targets, {});
  }

  /** log p. O(m·count·d), and the rows of the root; see tree-scores.ts. */
  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#scores.range(this.#extended(hidden), this.#shape, firstClass, out);
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#singleTargets.buildSingle(classes);
    fill(0, out);
    axpy(-1, this.#losses(hidden, this.#singleTargets, { name: 'losses of classScores' }), out);
  }

  classVectors(firstClass: number, out: Matrix): void {
    this.#scores.vectors(this.#shape, firstClass, out);
  }

  /**
   * Adds classes at the end of the tree, the rarest: leaves of the last node while it has room, then of new nodes. The
   * other classes keep their weights, and the new ones share the probability of their node. O(n·d), and a copy of the
   * last piece of each table.
   * @param values n×width weights, row by row, the bias last: zeros for classes that are as frequent as one that was
   * seen once, where the layer started from frequencies.
   * @throws OutputLayerError `bad-option`, `non-finite`.
   */
  addClasses(values: ArrayLike<number>): void {
    const { width } = this;
    const count = checkAddedRows(kind, values, width);
    const grown = this.#shape.grown(count);
    for (const [level, table] of this.#tables.entries()) {
      const first = table.rows;
      const added = grown.rowsOf(level) - first;
      if (added === 0) continue;
      table.grow(grown.rowsOf(level));
      writeRows(
        level === grown.levels ? values : newNodes(grown, level, first, added, width, table.bias),
        first,
        table.table,
      );
    }
    this.#shape = grown;
    if (this.#root.rows !== this.#tables[0]!.rows) {
      this.#root[Symbol.dispose]();
      this.#root = this.#rootSoftmax();
    }
  }

  configuration(): JsonObject {
    const { shortlist, fanOut, levels } = this.#shape;
    return { bias: this.#tables[0]!.bias, shortlist, fanOut, levels };
  }

  tensors(): TensorSource[] {
    return this.#tables.flatMap((table) => table.tensors());
  }

  checkState(state: ModuleState): void {
    for (const table of this.#tables) table.checkState(state);
  }

  async restore(state: ModuleState): Promise<void> {
    for (const table of this.#tables) await table.restore(state);
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
    for (const table of this.#tables) table[Symbol.dispose]();
  }

  /** A single block: its exponentials are kept for the backward pass, and it is used in place. */
  #rootSoftmax(): BlockedSoftmax {
    const table = this.#tables[0]!;
    return new BlockedSoftmax(table, this.workspace, { blockRows: table.rows });
  }

  #losses(hidden: Matrix, targets: TargetList, options: { readonly name?: string; readonly keep?: boolean }): Matrix {
    const extended = this.#extended(hidden);
    const shape = this.#shape;
    this.#rootTargets.begin(targets.examples, targets.count);
    for (let entry = 0; entry < targets.count; entry++)
      this.#rootTargets.add(targets.rows[entry]!, shape.rowOf(0, targets.classes[entry]!), targets.weights[entry]!);
    const losses = this.#root.forward(extended, this.#rootTargets, options);
    for (const level of this.#levels) level.forward(extended, targets, shape, losses);
    return losses;
  }

  #extended(hidden: Matrix): Matrix {
    return withBiasFeature(this.workspace, hidden, this.#tables[0]!.bias);
  }
}

/** Log of how often the classes below each row of a level occur. O(D). */
export function initialBiasesOf(
  shape: TreeShape,
  level: number,
  frequencies: ArrayLike<number> | undefined,
): Float64Array {
  return Float64Array.from({ length: shape.rowsOf(level) }, (_, row) => {
    const { first, count } = shape.classesBelow(level, row);
    if (frequencies === undefined) return Math.log(count);
    let sum = 0;
    for (let target = first; target < first + count; target++) sum += Math.max(0.5, frequencies[target]!);
    return Math.log(sum);
  });
}

/** Rows of new inner nodes: zeros, and a bias as if each of their classes had been seen once. */
function newNodes(
  shape: TreeShape,
  level: number,
  first: number,
  count: number,
  width: number,
  bias: boolean,
): Float64Array {
  const rows = new Float64Array(count * width);
  for (let i = 0; bias && i < count; i++)
    rows[(i + 1) * width - 1] = Math.log(shape.classesBelow(level, first + i).count);
  return rows;
}
