/**
 * The targets of a minibatch by cluster, on the host: each cluster that is touched is a group, each (example, cluster)
 * of a group a slot, so that a cluster's rows are fetched once and an example's softmax over them is computed once. O(P
 * log P) for P targets.
 */
import type { TargetList } from '../layer/target-list.ts';
import type { ClusterLayout } from './cluster-layout.ts';

export class ClusterGroups {
  /** Groups, slots and entries there are. */
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
      // Entries of a group come in the order of their examples.
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
    const room = Math.ceil(count * 1.5);
    this.clusters = new Int32Array(room);
    this.firstSlot = new Int32Array(room + 1);
    this.firstEntry = new Int32Array(room + 1);
    this.slotExamples = new Int32Array(room);
    this.slotWeights = new Float64Array(room);
    this.examples = new Int32Array(room);
    this.entrySlots = new Int32Array(room);
    this.places = new Int32Array(room);
    this.weights = new Float64Array(room);
    this.#keys = new Float64Array(room);
  }
}
