import type { Matrix, Workspace } from '@vastmax/linalg-core';
import type { JsonObject, ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import type { TargetList } from './target-list.ts';

/** The inputs of a method for one step. */
export interface TrainingBatch {
  /** m×features, as passed to the layer. */
  readonly hidden: Matrix;
  readonly targets: TargetList;
  /**
   * The factor of each example's loss in the reduced loss: its example weight, divided by m for a mean. The first m are
   * valid.
   */
  readonly factors: Float64Array;
}

export interface ForwardResult {
  /** m×1, the loss of each example, without its factor. */
  readonly losses: Matrix;
  /**
   * Further matrices that must be finite, beside the losses and hidden: the hidden gradient, if it is already known.
   */
  readonly watched: readonly Matrix[];
}

/**
 * The mathematics and the weights of one output layer. SoftmaxLayer owns the method and does the rest: it checks
 * arguments, allows one call at a time, checks that losses are finite between `forward` and `update`, counts steps, and
 * writes the general part of a checkpoint.
 */
export interface SoftmaxMethod extends Disposable {
  /** Name for messages and checkpoints, such as `full-softmax`. */
  readonly kind: string;
  readonly classes: number;
  /** Without the bias. */
  readonly features: number;
  readonly isNormalized: boolean;
  /** As in OutputLayer. */
  readonly hasLinearScores?: boolean;
  /** A class whose targets are ignored, if there is one. */
  readonly ignoredClass?: number;
  /** Shared with the layer, which disposes of it. */
  readonly workspace: Workspace;

  /**
   * The part of a step that does not change weights. Returns a promise if the host must read data from the device
   * first.
   */
  forward(batch: TrainingBatch): ForwardResult | Promise<ForwardResult>;
  /**
   * The rest of the step, after the finiteness check. It must not fail.
   * @param step of the whole training, from 1.
   * @returns the gradient of the reduced loss with respect to hidden from the weights before the update, m×features.
   */
  update(batch: TrainingBatch, learningRate: number, step: number): Matrix | Promise<Matrix>;
  /**
   * Called instead of `update` if the step is rejected; restores the random generator to its state before `forward`.
   */
  abandon?(): void;

  /** m×1, the exact loss over all classes. Changes no state. @param hidden m×features. */
  computeLosses(hidden: Matrix, targets: TargetList): Matrix;

  /**
   * As in OutputLayer; arguments have been checked.
   * @param sameHidden hidden is unchanged since the last call; what was computed from it is still valid.
   */
  scores(hidden: Matrix, firstClass: number, out: Matrix, sameHidden: boolean): void;
  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void;
  classVectors(firstClass: number, out: Matrix): void;

  /** Options that a state must agree with. */
  configuration(): JsonObject;
  /** State that is restored and is not a tensor, such as the state of a random generator. */
  progress?(): JsonObject;
  tensors(): TensorSource[];
  /** @throws StateError `state-mismatch`; nothing is changed. */
  checkState(state: ModuleState): Promise<void> | void;
  /** Restores a state that `checkState` has accepted. */
  restore(state: ModuleState): Promise<void>;
}
