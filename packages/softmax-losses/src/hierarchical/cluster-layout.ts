/**
 * The cluster of each class and the row of each class in the table: the rows of a cluster are contiguous, in ascending
 * order of classes.
 */
import { OutputLayerError } from '@vastmax/output-layer';
import { classesByFrequency } from '../class-table/frequency-order.ts';
import type { TargetList } from '../layer/target-list.ts';

/** Which classes are in which cluster of a two-level tree, and where their rows are. */
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
 * ⌈√D⌉ clusters whose sizes differ by at most 1, in order of frequency, so that the most frequent classes are together.
 */
export function layoutByFrequency(classes: number, frequencies: ArrayLike<number> | undefined): ClusterLayout {
  const clusters = Math.ceil(Math.sqrt(classes));
  const order = frequencies === undefined ? undefined : classesByFrequency(frequencies);
  const clusterOf = new Int32Array(classes);
  for (let rank = 0; rank < classes; rank++)
    clusterOf[order === undefined ? rank : order[rank]!] = Math.floor((rank * clusters) / classes);
  return layoutOf(clusterOf, clusters);
}

/**
 * @throws OutputLayerError `bad-option` if the length differs from the number of classes, a cluster is negative or too
 * large, or a cluster has no class.
 */
export function layoutByAssignment(kind: string, classes: number, assignment: Int32Array): ClusterLayout {
  if (assignment.length !== classes) {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: the assignment has ${assignment.length} clusters for ${classes} classes; there must be one for each class`,
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

/**
 * The targets of a minibatch grouped by cluster, on the host. Each touched cluster is a group; each (example, cluster)
 * pair is a slot of that group. So a cluster's rows are gathered once, and an example's softmax over them is computed
 * once. O(P log P) for P targets.
 */
export class ClusterGroups {
  /** Numbers of groups, slots and entries. */
  count = 0;
  slots = 0;
  entries = 0;
  /** Cluster of each group. */
  clusters: Int32Array = new Int32Array(0);
  /** First slot and first entry of each group, and the end of the last. */
  firstSlot: Int32Array = new Int32Array(1);
  firstEntry: Int32Array = new Int32Array(1);
  /** Example of each slot. */
  slotExamples: Int32Array = new Int32Array(0);
  /** Σ y of each slot. */
  slotWeights: Float64Array = new Float64Array(0);
  /** Example, slot, row within the cluster and weight of each entry, in the order of the groups. */
  examples: Int32Array = new Int32Array(0);
  entrySlots: Int32Array = new Int32Array(0);
  places: Int32Array = new Int32Array(0);
  weights: Float64Array = new Float64Array(0);
  #keys: Float64Array = new Float64Array(0);

  build(targets: TargetList, { clusterOf, rowOf, firstRow }: ClusterLayout): void {
    const { count } = targets;
    this.#reserve(count);
    for (let entry = 0; entry < count; entry++) this.#keys[entry] = clusterOf[targets.classes[entry]!]! * count + entry;
    this.#keys.subarray(0, count).sort();
    this.count = 0;
    this.slots = 0;
    this.entries = count;
    let cluster = -1;
    let example = -1;
    for (let place = 0; place < count; place++) {
      const entry = this.#keys[place]! % count;
      const target = targets.classes[entry]!;
      if (clusterOf[target] !== cluster) {
        cluster = clusterOf[target]!;
        example = -1;
        this.clusters[this.count] = cluster;
        this.firstSlot[this.count] = this.slots;
        this.firstEntry[this.count++] = place;
      }
      // The entries of a group are in the order of their examples.
      if (targets.rows[entry] !== example) {
        example = targets.rows[entry]!;
        this.slotExamples[this.slots] = example;
        this.slotWeights[this.slots++] = 0;
      }
      const weight = targets.weights[entry]!;
      this.slotWeights[this.slots - 1]! += weight;
      this.examples[place] = example;
      this.entrySlots[place] = this.slots - 1;
      this.places[place] = rowOf[target]! - firstRow[cluster]!;
      this.weights[place] = weight;
    }
    this.firstSlot[this.count] = this.slots;
    this.firstEntry[this.count] = count;
  }

  #reserve(count: number): void {
    if (this.#keys.length >= count && this.firstSlot.length > count) return;
    const capacity = Math.ceil(count * 1.5);
    this.clusters = new Int32Array(capacity);
    this.firstSlot = new Int32Array(capacity + 1);
    this.firstEntry = new Int32Array(capacity + 1);
    this.slotExamples = new Int32Array(capacity);
    this.slotWeights = new Float64Array(capacity);
    this.examples = new Int32Array(capacity);
    this.entrySlots = new Int32Array(capacity);
    this.places = new Int32Array(capacity);
    this.weights = new Float64Array(capacity);
    this.#keys = new Float64Array(capacity);
  }
}
