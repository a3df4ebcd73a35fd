/**
 * Which cluster each class belongs to, and where its row lies: a cluster's rows are contiguous, in the order of class
 * numbers.
 */
import { OutputLayerError } from '@vastmax/output-layer';
import { classesByFrequency } from '../class-table/frequency-order.ts';

export interface ClusterLayout {
  readonly clusters: number;
  /** Cluster of each class. */
  readonly clusterOf: Int32Array;
  /** Row of each class. */
  readonly rowOf: Int32Array;
  /** First row of each cluster, and D at the end. */
  readonly firstRow: Int32Array;
  /** Rows of the largest cluster. */
  readonly largest: number;
}

/**
 * ⌈√D⌉ clusters of equal size in the order given, the most frequent classes together; the last ones may be one class
 * smaller.
 */
export function layoutByFrequency(classes: number, frequencies: ArrayLike<number> | undefined): ClusterLayout {
  const clusters = Math.ceil(Math.sqrt(classes));
  const order = frequencies === undefined ? undefined : classesByFrequency(frequencies);
  const clusterOf = new Int32Array(classes);
  for (let rank = 0; rank < classes; rank++)
    clusterOf[order === undefined ? rank : order[rank]!] = Math.floor((rank * clusters) / classes);
  return layoutOf(clusterOf, clusters);
}

/** @throws OutputLayerError `bad-option` for another number of classes, a negative cluster or one without classes. */
export function layoutByAssignment(kind: string, classes: number, assignment: Int32Array): ClusterLayout {
  if (assignment.length !== classes) {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: the assignment has ${assignment.length} clusters for ${classes} classes; one for each`,
    );
  }
  let clusters = 0;
  for (let k = 0; k < classes; k++) {
    if (assignment[k]! < 0 || assignment[k]! >= classes) {
      throw new OutputLayerError(
        'bad-option',
        `${kind}: class ${k} is assigned to cluster ${assignment[k]!}; clusters are from 0 to ${classes - 1}`,
      );
    }
    clusters = Math.max(clusters, assignment[k]! + 1);
  }
  const layout = layoutOf(assignment.slice(), clusters);
  for (let cluster = 0; cluster < clusters; cluster++) {
    if (layout.firstRow[cluster] !== layout.firstRow[cluster + 1]) continue;
    throw new OutputLayerError(
      'bad-option',
      `${kind}: no class is assigned to cluster ${cluster} of ${clusters}; number the clusters without gaps`,
    );
  }
  return layout;
}

function layoutOf(clusterOf: Int32Array, clusters: number): ClusterLayout {
  const firstRow = new Int32Array(clusters + 1);
  for (const cluster of clusterOf) firstRow[cluster + 1]!++;
  let largest = 0;
  for (let cluster = 0; cluster < clusters; cluster++) {
    largest = Math.max(largest, firstRow[cluster + 1]!);
    firstRow[cluster + 1]! += firstRow[cluster]!;
  }
  const next = firstRow.slice();
  const rowOf = clusterOf.map((cluster) => next[cluster]!++);
  return { clusters, clusterOf, rowOf, firstRow, largest };
}
