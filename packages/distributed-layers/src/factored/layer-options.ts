import type { FactoredLayerCounters, FactoredOutputLayerOptions } from '@vastmax/spherical-losses';

/**
 * Those of the factored layer, the same on every rank. `initialRows` is asked for one row at a time, of this rank's own
 * classes only; the start from a seed is that of the factored layer in one process, which takes every rank D·width
 * random numbers.
 */
export interface DistributedFactoredLayerOptions extends Omit<FactoredOutputLayerOptions, 'form'> {
  /** Compare the replicated matrices of all ranks every so many steps; 100 unless given, 0 for never. O(d²). */
  readonly checkEvery?: number;
  /**
   * Called on every rank when they differed and were replaced by those of rank 0: are the machines of one kind?
   * `counters.replicaRepairs` counts it in any case.
   */
  readonly onReplicaDrift?: (drift: ReplicaDrift) => void;
}

export interface ReplicaDrift {
  readonly step: number;
  /** The ranks whose matrices were not those of rank 0. */
  readonly ranks: readonly number[];
}

export interface DistributedLayerCounters extends Omit<FactoredLayerCounters, 'repeatedSteps'> {
  /** How often replicas had to be replaced. */
  readonly replicaRepairs: number;
}
