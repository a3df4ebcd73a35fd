import type { Matrix, Workspace } from '@vastmax/linalg-core';
import type { JsonObject, ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import type { TargetList } from './target-list.ts';

/** What a method is given for one step. */
export interface TrainingBatch {
  /** m×features, as the layer was given it. */
  readonly hidden: Matrix;
  readonly targets: TargetList;
  /**
   * What each example's loss is multiplied by in the reduced loss: its example weight, over m for a mean. The first m
   * are valid.
   */
  readonly factors: Float64Array;
}

export interface ForwardResult {
  /** m×1, each example's own loss, without its factor. */
  readonly losses: Matrix;
  /** What must be finite beside the losses and hidden: the hidden gradient where it is known by now. */
  readonly watched: readonly Matrix[];
}

/**
 * The mathematics of one output layer and its weights. SoftmaxLayer, which owns the method, makes everything around it:
 * checks of arguments, one call at a time, the look at the losses between `forward` and `update`, counting steps, the
 * frame of a checkpoint.
 */
export interface SoftmaxMethod extends Disposable {
  /** Shown to people and stored in checkpoints: `full-softmax`. */
  readonly kind: string;
  readonly classes: number;
  /** Without the bias. */
  readonly features: number;
  readonly isNormalized: boolean;
  /** A class whose targets count nothing, if there is one. */
  readonly ignoredClass?: number;
  /** Shared with the layer, which disposes it. */
  readonly workspace: Workspace;

  /** Everything of a step that leaves the weights alone. A promise where the host has to read something first. */
  forward(batch: TrainingBatch): ForwardResult | Promise<ForwardResult>;
  /**
   * The rest of the step, after everything was found finite: it cannot fail.
   * @param step of the whole training, from 1.
   * @returns the gradient of the reduced loss with respect to hidden from the weights before the update, m×features.
   */
  update(batch: TrainingBatch, learningRate: number, step: number): Matrix | Promise<Matrix>;
  /** Called instead of `update` when the step is refused; takes back what `forward` has drawn from a generator. */
  abandon?(): void;

  /** m×1, the exact loss over all classes, without touching anything. @param hidden m×features. */
  computeLosses(hidden: Matrix, targets: TargetList): Matrix;

  /**
   * As in OutputLayer, the arguments checked.
   * @param sameHidden hidden is unchanged since the last call: what was computed for it holds.
   */
  scores(hidden: Matrix, firstClass: number, out: Matrix, sameHidden: boolean): void;
  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void;
  classVectors(firstClass: number, out: Matrix): void;

  /** Options that a state must agree with. */
  configuration(): JsonObject;
  /** What a restore takes over and is not a tensor: the state of a generator. */
  progress?(): JsonObject;
  tensors(): TensorSource[];
  /** @throws StateError `state-mismatch`; nothing is changed. */
  checkState(state: ModuleState): Promise<void> | void;
  /** Take over a state that `checkState` has accepted. */
  restore(state: ModuleState): Promise<void>;
}
