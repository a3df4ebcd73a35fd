/**
 * Where negative samples come from. A fixed proposal is one distribution over the classes, whatever the hidden
 * activations are; its samples may be shared by a minibatch. A query proposal (kernel sampling: RF-softmax, quadratic)
 * draws for each example from a distribution that follows the class vectors, and has to be told when these change.
 *
 * Proposals live on the host and are handed the random generator, whose state the layer keeps: a proposal's own state
 * is only what it has learned. Rejected: one interface in which a fixed proposal pretends to look at a query, because a
 * layer treats the two differently anyway (one product for shared samples, pairs otherwise).
 */
import type { FloatArray } from '@vastmax/linalg-core';
import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';
import { OutputLayerError } from '@vastmax/output-layer';
import type { RandomGenerator } from '@vastmax/sparse-data';

interface AnyProposal {
  /** Shown to people and stored in checkpoints: `log-uniform`. */
  readonly name: string;
  /** D. */
  readonly classes: number;
  /** What must agree when a state is restored, as JSON. */
  readonly options: JsonObject;
  /** What it has learned, for a checkpoint. Left out by a proposal that learns nothing. */
  state?(): ModuleState;
}

/** One distribution over the classes for every example. */
export interface FixedProposal extends AnyProposal {
  readonly kind: 'fixed';
  /** `count` independent draws, with replacement, into classesOut[offset …]. */
  draw(count: number, random: RandomGenerator, classesOut: Int32Array, offset: number): void;
  /** ln P(class) as of now, exact; -Infinity for a class that is never drawn. */
  logProbability(target: number): number;
  /** The targets of a step that was taken, `count` of them: for proposals that learn. Called after the step's draws. */
  observe?(targets: Int32Array, count: number): void;
  /**
   * Read and check a learned state and return what takes it over, which cannot fail: the layer may refuse the rest of a
   * checkpoint in between.
   * @throws StateError `state-mismatch`.
   */
  prepareRestore?(state: ModuleState): Promise<() => void>;
}

/** All class vectors, to build from. */
export interface ClassVectorSource {
  readonly classes: number;
  /** Numbers in a class vector and in a query. */
  readonly width: number;
  /** Rows `first` … `first + count - 1`, row by row. The array is reused by the next call. */
  read(first: number, count: number): Promise<FloatArray>;
}

/**
 * A distribution for each example. Queries and class vectors are as the layer's logits use them, o = τ·query·vector:
 * with the bias as a last feature where the layer has one, of length 1 where it normalises.
 */
export interface QueryProposal extends AnyProposal {
  readonly kind: 'query';
  /**
   * Build from all class vectors: when the layer is created, and after its weights were restored where there is no
   * `prepareRestore`.
   * @throws OutputLayerError `bad-option` when it was made for another number of classes or width.
   */
  rebuild(vectors: ClassVectorSource): Promise<void>;
  /** As for a fixed proposal; what it returns is called with the restored class vectors instead of `rebuild`. */
  prepareRestore?(state: ModuleState): Promise<(vectors: ClassVectorSource) => Promise<void>>;
  /**
   * `count` draws with replacement for each query.
   * @param queries examples×width, row by row.
   * @param classesOut examples×count.
   * @param logProbabilitiesOut examples×count, the exact ln P of each draw under the distribution it was drawn from.
   */
  draw(
    queries: FloatArray,
    examples: number,
    count: number,
    random: RandomGenerator,
    classesOut: Int32Array,
    logProbabilitiesOut: Float64Array,
  ): void;
  /**
   * The first `count` of `classes`, each once, have new vectors.
   * @param vectors count×width, row by row; the array belongs to the layer.
   */
  classesChanged(classes: Int32Array, count: number, vectors: FloatArray): void;
}

export type Proposal = FixedProposal | QueryProposal;

/** @throws OutputLayerError `bad-option` unless D is a positive whole number that a row number can be. */
export function checkClasses(proposal: string, classes: number): void {
  if (Number.isSafeInteger(classes) && classes >= 1 && classes < 2 ** 31) return;
  throw new OutputLayerError(
    'bad-option',
    `${proposal} proposal: classes must be a whole number from 1 to ${2 ** 31 - 1}, got ${classes}`,
  );
}
