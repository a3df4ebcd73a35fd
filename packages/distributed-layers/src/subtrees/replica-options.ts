import type { ReplicaDrift } from '../factored/layer-options.ts';

/** How rows that every rank has are kept equal. */
export interface ReplicaOptions {
  /** Compare them every so many steps; 100 unless given, 0 for never. */
  readonly checkEvery?: number;
  /**
   * Asks for a repair: when the rows of some ranks differ from those of rank 0, all ranks take these, and this is called
   * on every rank. Unless given, such drift is an error. A likely reason is processors that round differently.
   */
  readonly onReplicaDrift?: (drift: ReplicaDrift) => void;
}
