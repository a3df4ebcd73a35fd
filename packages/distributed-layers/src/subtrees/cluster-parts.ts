/**
 * The two-level softmax of softmax-losses over ranks: the √D rows of the clusters are on every rank, and the classes of
 * cluster j on rank j mod p. Clusters are in order of frequency.
 */
import type { Communicator } from '@vastmax/collectives';
import { Workspace, copyColumns, axpy, type Backend } from '@vastmax/linalg-core';
import type { HierarchicalSoftmaxOptions } from '@vastmax/softmax-losses';
import {
  checkLayerOptions,
  checkPerClass,
  checkSameIntegers,
  ClassTable,
  ClusterScores,
  createInitialRows,
  InClusterSoftmax,
  integerTensor,
  layoutByFrequency,
  weightOptions,
  type ClusterLayout,
} from '@vastmax/softmax-losses/layer-parts';
import { ownedCount, partitionOfGroups } from '../rows/row-partition.ts';
import { DistributedTable } from './distributed-table.ts';
import { ReplicatedSoftmax } from './replicated-softmax.ts';
import type { SubtreeParts } from './subtree-parts.ts';

const kind = 'hierarchical-softmax';

/** Options of `createHierarchicalSoftmaxLayer` with clusters by frequency; the same on every rank. */
export type ClusterOptions = Omit<HierarchicalSoftmaxOptions, 'assignment'>;

/**
 * Creates this rank's part, whose start is that of one process. No collective. O(D·d/p) once.
 * @throws OutputLayerError `bad-option`, `non-finite`.
 */
export function createClusterParts(
  communicator: Communicator,
  backend: Backend,
  options: ClusterOptions,
): SubtreeParts {
  checkLayerOptions(kind, options);
  const { classes, features, frequencies } = options;
  const { rank, size } = communicator;
  if (frequencies !== undefined) checkPerClass(kind, 'frequencies', frequencies, classes, 0);
  const weights = weightOptions(options);
  const layout = layoutByFrequency(classes, frequencies);
  const workspace = new Workspace(backend);
  const clusters = new ClassTable(
    backend,
    { name: 'clusters', rows: layout.clusters, features, ...weights, seed: weights.seed + 1 },
    workspace,
  );
  const top = new ReplicatedSoftmax(communicator, clusters, workspace);
  const partition = partitionOfGroups(layout.firstRow, size);
  let table: DistributedTable | undefined;
  try {
    const own = new ClassTable(
      backend,
      { name: 'classes', rows: ownedCount(partition, rank), features, ...weights, initialScale: 0 },
      workspace,
    );
    table = new DistributedTable(communicator, partition, own, workspace);
    table.fill(createInitialRows(weights, features, weights.bias));
  } catch (error) {
    top[Symbol.dispose]();
    table?.[Symbol.dispose]();
    throw error;
  }
  const all = table;
  const inCluster = new InClusterSoftmax(workspace, all.own, ownLayout(layout, rank, size));
  const scores = new ClusterScores(workspace, clusters, all, layout);
  const localStarts = partition.groups?.localStarts ?? new Float64Array(0);
  const { clusterOf, rowOf, firstRow } = layout;
  return {
    kind,
    classes,
    features,
    workspace,
    top,
    topRowOf: (target) => clusterOf[target]!,
    below: {
      places: {
        ownerOf: (target) => clusterOf[target]! % size,
        localOf: (target) => localStarts[clusterOf[target]!]! + rowOf[target]! - firstRow[clusterOf[target]!]!,
      },
      own: inCluster,
      tables: [all],
    },
    scores: (hidden, firstClass, out) => {
      scores.range(hidden, firstClass, out, false);
    },
    classVectors: (firstClass, out) => {
      const rows = workspace.matrix('vector rows', out.rows, all.width);
      const clusterRows = workspace.matrix('vector cluster rows', out.rows, all.width);
      all.gather(workspace.indices('vector classes', rowOf.subarray(firstClass, firstClass + out.rows)), rows);
      clusters.gather(
        workspace.indices('vector clusters', clusterOf.subarray(firstClass, firstClass + out.rows)),
        clusterRows,
      );
      axpy(1, clusterRows, rows);
      copyColumns(rows, 0, out, 0, features);
    },
    configuration: () => ({ bias: weights.bias, clusters: layout.clusters }),
    structure: {
      tensors: () => [integerTensor('cluster_of_class', clusterOf)],
      check: (state) => checkSameIntegers(state, 'cluster_of_class', clusterOf, kind),
    },
    [Symbol.dispose]: () => {
      top[Symbol.dispose]();
      all[Symbol.dispose]();
    },
  };
}

/** A rank's clusters one after the other, with its classes numbered by their rows. */
function ownLayout({ clusters, firstRow, largest }: ClusterLayout, rank: number, size: number): ClusterLayout {
  const starts = [0];
  for (let cluster = rank; cluster < clusters; cluster += size)
    starts.push(starts[starts.length - 1]! + firstRow[cluster + 1]! - firstRow[cluster]!);
  const rows = starts[starts.length - 1]!;
  const clusterOf = new Int32Array(rows);
  for (let cluster = 0; cluster + 1 < starts.length; cluster++)
    clusterOf.fill(cluster, starts[cluster], starts[cluster + 1]);
  return {
    clusters: starts.length - 1,
    clusterOf,
    rowOf: Int32Array.from({ length: rows }, (_, row) => row),
    firstRow: Int32Array.from(starts),
    largest,
  };
}
