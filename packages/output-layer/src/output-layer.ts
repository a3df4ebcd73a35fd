import type { Backend, Matrix } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import type { CsrRows } from '@vastmax/sparse-data';

/** The learning rate of a step, and a factor for each example. */
export interface StepOptions {
  /** Rate of this step for the layer's own weights, on the reduced loss (the mean unless the layer was told to sum). */
  readonly learningRate: number;
  /** One factor for each example's loss, m long; 1 unless given. */
  readonly exampleWeights?: ArrayLike<number>;
}

/** Both matrices belong to the layer and are valid until its next step, evaluation or disposal. */
export interface StepResult {
  /** m×1, each example's own loss before the update, without the example weight. */
  readonly losses: Matrix;
  /** m×d, the gradient of the reduced loss with respect to `hidden`, from the weights before the update. */
  readonly hiddenGradient: Matrix;
}

/** The `k` best classes of each example and their scores, best first; row i begins at i·k. */
export interface TopK {
  readonly k: number;
  /** m×k class numbers, best first. */
  readonly classes: Int32Array;
  /** m×k scores beside them. */
  readonly scores: Float64Array;
}

/** A step that has been computed and found finite, with no weight changed yet. */
export interface PreparedStep {
  /**
   * Changes the weights; cannot fail. Call it once, before any other call of the layer.
   * @throws OutputLayerError `disposed` when the step was applied or discarded before, or the layer disposed of.
   */
  apply(): Promise<StepResult>;
  /** Leaves the layer unchanged. No effect after `apply`. */
  discard(): void;
}

/**
 * A layer whose step has two phases, so that a layer composed of several can reject a step as a whole. Between
 * `prepareStep` and `apply` or `discard` the layer is busy.
 */
export interface TwoPhaseOutputLayer extends OutputLayer {
  /** As {@link OutputLayer.step}, but changes no weight before `apply`. */
  prepareStep(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<PreparedStep>;
}

/**
 * The last layer of a network with very many classes, and its loss. It owns and updates its weights: the factored
 * layer computes its exact update together with the backward pass, so the other layers do the same.
 *
 * `step` and `evaluate` are asynchronous because a layer must read a few numbers (is the loss finite, is a small system
 * singular) before it changes its weights. A layer on a device may verify its steps asynchronously, a few steps later,
 * without waiting: see `confirmSteps`.
 *
 * One call at a time: a call that begins before the promise of an earlier one has settled throws, or rejects with,
 * OutputLayerError `busy` and changes nothing; over ranks the asynchronous ones do so on every rank when one is busy.
 * Disposal waits for the running call, which ends as if it were alone; every later call throws `disposed`.
 */
export interface OutputLayer extends Disposable {
  readonly backend: Backend;
  /** Shown to people and stored in checkpoints: `factored`. */
  readonly kind: string;
  /** D. */
  readonly classes: number;
  /** Width of `hidden`: d, without a bias feature that the layer adds by itself. */
  readonly features: number;
  /** True when a loss is −log p of a distribution over all classes, so that its exponential is a perplexity. */
  readonly isNormalized: boolean;
  /**
   * True where the score of a class is the product of its vector (`classVectors`) with the hidden activations plus a
   * number of the class, its score for activations of 0: such a layer can be searched by an index of its vectors.
   */
  readonly hasLinearScores?: boolean;

  /**
   * One training step on a minibatch: the loss, the gradient to propagate back, and the layer's own update.
   * @param hidden m×d on the layer's backend.
   * @param targets m rows; the target classes of each example with weights (all 1 when there are none). A row may be
   * empty, and repeated classes are merged.
   * @throws OutputLayerError `shape`, `class-out-of-range`, `non-finite` for bad input, `diverged` when the loss is not
   * finite. The layer is then as it was before the call.
   */
  step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult>;

  /**
   * For a layer that verifies its steps asynchronously: resolves when all pending steps are verified. Await it before
   * `state`, and wherever a rejected step must be reported; every asynchronous call does so by itself.
   * @throws OutputLayerError what `step` would have thrown. The layer is then as it was before that step; later steps
   * were not applied.
   */
  confirmSteps?(): Promise<void>;

  /** m×1, each example's loss. No update. Valid until the layer's next step, evaluation or disposal. */
  evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix>;

  /**
   * The score of classes `firstClass` … `firstClass + out.columns - 1` for each example: the number by which classes
   * are ranked under the layer's loss. O(m·count·d).
   * @param out m×count.
   */
  scores(hidden: Matrix, firstClass: number, out: Matrix): void;

  /** The score of one class for each example: classes m long, out m×1. O(m·d). */
  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void;

  /**
   * For a layer that finds the best classes without the scores of all: as `topK`, which uses it, of the classes that
   * `accept` lets pass for an example; −1 with −Infinity where fewer than k are left.
   */
  bestClasses?(hidden: Matrix, k: number, accept?: (classNumber: number, example: number) => boolean): Promise<TopK>;

  /**
   * The vectors of classes `firstClass` …, without biases, for neighbour searches. O(count·d²) at most.
   * @param out count×features.
   */
  classVectors(firstClass: number, out: Matrix): void;

  /**
   * Runs `action`, which makes several calls of `scores`, `classScores` and `classVectors`; until it is done, calls that
   * change weights are rejected as `busy`. `topK` and `ranksOf` use it where a layer has it.
   * @param operation for messages.
   */
  withFixedWeights?<Result>(operation: string, action: () => Promise<Result>): Promise<Result>;

  /**
   * For a layer whose stored rows are not its class vectors: makes them so, and computes anew what it tracks of them.
   * The weights change by rounding only. Reads all rows: O(D·d²) for the factored layer.
   */
  materialize?(): Promise<void>;

  /**
   * Everything needed to continue bit for bit on the same backend. O(1); its tensors are read when the checkpoint is
   * written, which must end before the next step: reading one afterwards rejects as `busy`.
   */
  state(): ModuleState;
  /**
   * Restores the state of a layer with the same sizes and options.
   * @throws StateError `state-mismatch`, naming both values.
   */
  restore(state: ModuleState): Promise<void>;
}
