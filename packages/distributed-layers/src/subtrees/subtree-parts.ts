import type { Matrix, Workspace } from '@vastmax/linalg-core';
import type { JsonObject, ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import type { TargetList } from '@vastmax/softmax-losses/layer-parts';
import type { DistributedTable } from './distributed-table.ts';
import type { ReplicatedSoftmax } from './replicated-softmax.ts';
import type { ClassPlaces } from './routed-examples.ts';

/** The softmaxes below the top that a rank computes for the examples it has been sent. */
export interface OwnSubtrees {
  /**
   * losses += −Σ y log p, and in a step hiddenGradient += its gradient.
   * @param hidden n×width, with the bias feature. @param targets in this rank's own numbering.
   */
  forward(
    hidden: Matrix,
    targets: TargetList,
    losses: Matrix,
    training?: { readonly factors: Float64Array; readonly hiddenGradient: Matrix },
  ): void;
  /** Changes the rows of the nodes of the last step. */
  update(hidden: Matrix, learningRate: number, step: number): void;
}

/** A layer as ranks have it: a softmax at the top, which all have, and subtrees below, each of which one has. */
export interface SubtreeParts extends Disposable {
  readonly kind: string;
  readonly classes: number;
  readonly features: number;
  readonly workspace: Workspace;
  readonly top: ReplicatedSoftmax;
  /** The row of a class, or of its ancestor, at the top. */
  topRowOf(target: number): number;
  /** Undefined where all classes are at the top. */
  readonly below?: {
    readonly places: ClassPlaces;
    readonly own: OwnSubtrees;
    readonly tables: readonly DistributedTable[];
  };
  /** Where a score is not log p: the score of one class for each example. @param hidden with the bias feature. */
  classScores?(hidden: Matrix, classes: Int32Array, out: Matrix): void;
  /** A collective where there is something below. @param hidden m×width, with the bias feature. */
  scores(hidden: Matrix, firstClass: number, out: Matrix): void;
  /** Likewise. @param out count×features. */
  classVectors(firstClass: number, out: Matrix): void;
  /** Options that a state must agree with. */
  configuration(): JsonObject;
  /** Tensors that are compared, not restored, and the comparison. */
  readonly structure?: { tensors(): TensorSource[]; check(state: ModuleState): Promise<void> };
}
