/**
 * The tree softmax of softmax-losses over ranks: the root is on every rank, and node j below it, with all levels below,
 * is on rank j mod p. Nodes are in order of frequency, so each rank has frequent and rare ones. A rank's subtrees one
 * after the other are a tree without a root of the same fan-out, in which only the last node of a level may be short.
 */
import type { Communicator } from '@vastmax/collectives';
import { Workspace, type Backend } from '@vastmax/linalg-core';
import type { TreeSoftmaxOptions } from '@vastmax/softmax-losses';
import {
  checkLayerOptions,
  checkPerClass,
  checkTreeOptions,
  chooseTreeSizes,
  ClassTable,
  createInitialRows,
  initialBiasesOf,
  LevelSoftmax,
  tableName,
  TreeScores,
  TreeShape,
  weightOptions,
} from '@vastmax/softmax-losses/layer-parts';
import { localRowOf, ownedCount, ownerOf, partitionOfGroups, type RowPartition } from '../rows/row-partition.ts';
import { DistributedTable } from './distributed-table.ts';
import { ReplicatedSoftmax } from './replicated-softmax.ts';
import type { OwnSubtrees, SubtreeParts } from './subtree-parts.ts';

const kind = 'tree-softmax';

/**
 * Creates this rank's part, whose start is that of one process. No collective. O(D·d/p) once.
 * @throws OutputLayerError `bad-option`, `non-finite`.
 */
export function createTreeParts(
  communicator: Communicator,
  backend: Backend,
  options: TreeSoftmaxOptions,
): SubtreeParts {
  checkLayerOptions(kind, options);
  checkTreeOptions(kind, options);
  const { classes, features, frequencies } = options;
  if (frequencies !== undefined) checkPerClass(kind, 'frequencies', frequencies, classes, 0);
  const weights = weightOptions(options);
  const shape = new TreeShape(chooseTreeSizes(options));
  const workspace = new Workspace(backend);
  const startOf = (level: number): { readonly seed: number; readonly initialBiases?: Float64Array } => ({
    seed: weights.seed + level,
    ...(weights.bias ? { initialBiases: initialBiasesOf(shape, level, frequencies) } : {}),
  });
  const root = new ClassTable(
    backend,
    { name: tableName(0), rows: shape.rowsOf(0), features, ...weights, ...startOf(0) },
    workspace,
  );
  const top = new ReplicatedSoftmax(communicator, root, workspace);
  const levels: DistributedTable[] = [];
  const dispose = (): void => {
    top[Symbol.dispose]();
    for (const table of levels) table[Symbol.dispose]();
  };
  try {
    for (let level = 1; level <= shape.levels; level++) {
      const partition = partitionOfLevel(shape, level, communicator.size);
      const own = new ClassTable(
        backend,
        {
          name: tableName(level),
          rows: ownedCount(partition, communicator.rank),
          features,
          ...weights,
          initialScale: 0,
        },
        workspace,
      );
      const table = new DistributedTable(communicator, partition, own, workspace);
      levels.push(table);
      table.fill(createInitialRows({ initialScale: weights.initialScale, ...startOf(level) }, features, weights.bias));
    }
  } catch (error) {
    dispose();
    throw error;
  }
  const scores = new TreeScores(workspace, [root, ...levels]);
  const leaves = levels.at(-1);
  return {
    kind,
    classes,
    features,
    workspace,
    top,
    topRowOf: (target) => shape.rowOf(0, target),
    ...(leaves === undefined
      ? {}
      : {
          below: {
            places: {
              ownerOf: (target) =>
                shape.isBelowRoot(target) ? ownerOf(leaves.partition, target - shape.shortlist) : -1,
              localOf: (target) => localRowOf(leaves.partition, target - shape.shortlist),
            },
            own: createOwnTrees(shape, levels, workspace),
            tables: levels,
          },
        }),
    scores: (hidden, firstClass, out) => {
      scores.range(hidden, shape, firstClass, out);
    },
    classVectors: (firstClass, out) => {
      scores.vectors(shape, firstClass, out);
    },
    configuration: () => {
      const { shortlist, fanOut, levels: depth } = shape;
      return { bias: weights.bias, shortlist, fanOut, levels: depth };
    },
    [Symbol.dispose]: dispose,
  };
}

/** The groups are the rows below each node of the root. */
function partitionOfLevel(shape: TreeShape, level: number, size: number): RowPartition {
  const nodes = shape.rowsOf(0) - shape.shortlist;
  const rows = shape.rowsOf(level);
  const perNode = shape.fanOut ** level;
  return partitionOfGroups(
    Array.from({ length: nodes + 1 }, (_, node) => Math.min(node * perNode, rows)),
    size,
  );
}

function createOwnTrees(shape: TreeShape, tables: readonly DistributedTable[], workspace: Workspace): OwnSubtrees {
  const { fanOut, levels: depth } = shape;
  const classes = tables[tables.length - 1]!.own.rows;
  const ownShape = new TreeShape({ classes, shortlist: 0, fanOut, levels: depth });
  const levels = tables.map(({ own }, i) => new LevelSoftmax(own, workspace, i + 1));
  return {
    forward: (hidden, targets, losses, training) => {
      for (const level of levels) level.forward(hidden, targets, ownShape, losses);
      if (training === undefined) return;
      for (const level of levels) level.addHiddenGradient(training.factors, training.hiddenGradient);
    },
    update: (hidden, learningRate, step) => {
      for (const level of levels) level.update(hidden, { learningRate, step });
    },
  };
}
