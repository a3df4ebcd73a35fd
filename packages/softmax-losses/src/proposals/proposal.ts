/**
 * Distributions from which negative samples are drawn. A fixed proposal is one distribution over the classes that does
 * not depend on the hidden activations; its samples may be shared by a minibatch. A query proposal (kernel sampling:
 * RF-softmax, quadratic) draws for each example from a distribution that depends on the class vectors, and must be
 * notified when these change.
 *
 * Proposals run on the host. They receive the random generator as an argument; the layer stores its state, so the state
 * of a proposal is only what it has learned. Rejected: a single interface with a query that fixed proposals ignore,
 * because a layer treats the two kinds differently anyway (one matrix product for shared samples, pairs otherwise).
 */
import type { FloatArray } from '@vastmax/linalg-core';
import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';
import { OutputLayerError } from '@vastmax/output-layer';
import type { RandomGenerator } from '@vastmax/sparse-data';

interface AnyProposal {
  /** Name for messages and checkpoints, such as `log-uniform`. */
  readonly name: string;
  /** D. */
  readonly classes: number;
  /** Options that must be equal when a state is restored, as JSON. */
  readonly options: JsonObject;
  /** The learned state, for a checkpoint. Not implemented by a proposal that learns nothing. */
  state?(): ModuleState;
}

/** One distribution over the classes for every example. */
export interface FixedProposal extends AnyProposal {
  readonly kind: 'fixed';
  /** `count` independent draws, with replacement, into classesOut[offset …]. */
  draw(count: number, random: RandomGenerator, classesOut: Int32Array, offset: number): void;
  /** The exact ln P(class) at this time; -Infinity for a class that is never drawn. */
  logProbability(target: number): number;
  /** Called after each completed step with its targets (the first `count`), for proposals that learn. */
  observe?(targets: Int32Array, count: number): void;
  /**
   * Reads and checks a learned state, and returns a function that restores it and cannot fail. In between, the layer
   * may reject the rest of a checkpoint.
   * @throws StateError `state-mismatch`.
   */
  prepareRestore?(state: ModuleState): Promise<() => void>;
}

/** All class vectors, from which a query proposal is built. */
export interface ClassVectorSource {
  readonly classes: number;
  /** Numbers in a class vector and in a query. */
  readonly width: number;
  /** Rows `first` … `first + count - 1`, row by row. The array is reused by the next call. */
  read(first: number, count: number): Promise<FloatArray>;
}

/**
 * A distribution for each example. Queries and class vectors are as the layer's logits use them, o = τ·query·vector:
 * with the bias as the last feature if the layer has one, and of length 1 if the layer normalises them.
 */
export interface QueryProposal extends AnyProposal {
  readonly kind: 'query';
  /**
   * Builds the proposal from all class vectors. Called when the layer is created and, if there is no `prepareRestore`,
   * after its weights were restored.
   * @throws OutputLayerError `bad-option` if the proposal was created for another number of classes or another width.
   */
  rebuild(vectors: ClassVectorSource): Promise<void>;
  /** As for a fixed proposal. The returned function is called with the restored class vectors, instead of `rebuild`. */
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
   * Notifies that the first `count` of `classes`, which are distinct, have new vectors.
   * @param vectors count×width, row by row; the array belongs to the layer.
   */
  classesChanged(classes: Int32Array, count: number, vectors: FloatArray): void;
}

/** What negative classes are drawn from: the same for all examples, or by the example's vector. */
export type Proposal = FixedProposal | QueryProposal;

/** @throws OutputLayerError `bad-option` unless D is a whole number from 1 to 2³¹ − 1. */
export function checkClasses(proposal: string, classes: number): void {
  if (Number.isSafeInteger(classes) && classes >= 1 && classes < 2 ** 31) return;
  throw new OutputLayerError(
    'bad-option',
    `${proposal} proposal: classes must be a whole number from 1 to ${2 ** 31 - 1}, got ${classes}`,
  );
}
