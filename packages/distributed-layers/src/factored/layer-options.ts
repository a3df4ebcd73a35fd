import type { FactoredLayerCounters, FactoredOutputLayerOptions } from '@vastmax/spherical-losses';

/**
 * Options of the factored layer, the same on every rank. `initialRows` is called for one row at a time, of this rank's
 * own classes only. The seeded start is that of the factored layer in one process, for which every rank draws D·width
 * random numbers. There is no preconditioned step over ranks.
 */
export interface DistributedFactoredLayerOptions extends Omit<FactoredOutputLayerOptions, 'form' | 'preconditioner'> {
  /** Compare the replicated matrices of all ranks every so many steps; 100 unless given, 0 for never. O(d²). */
  readonly checkEvery?: number;
  /**
   * Asks for a repair: matrices that differ are replaced by those of rank 0, and this is called on every rank. Unless
   * given, such drift is an error of the step. A likely reason is that the machines are of different kinds.
   */
  readonly onReplicaDrift?: (drift: ReplicaDrift) => void;
}

/** Ranks whose copies of the small matrices differed from rank 0's at a step. */
export interface ReplicaDrift {
  readonly step: number;
  /** The ranks whose matrices were not those of rank 0. */
  readonly ranks: readonly number[];
}

/** What has happened so far, the same on all ranks. */
export interface DistributedLayerCounters extends Omit<FactoredLayerCounters, 'repeatedSteps'> {
  /** How often replicas had to be replaced. */
  readonly replicaRepairs: number;
}
