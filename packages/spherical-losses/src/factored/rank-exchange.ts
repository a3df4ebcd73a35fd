/**
 * The two exchanges of a step (factored-step.ts) over many ranks, each with a part of the examples and of the rows:
 * fetching rows of V, and sums over the examples. In one process there is no exchange.
 */
import type { GlobalSums, UpdateInputs } from './exact-update.ts';
import type { RowSource, TargetPairs } from './forward-pass.ts';

/** This rank's part of a step. */
export interface LocalBatch {
  readonly pairs: TargetPairs;
  /** m of this rank. */
  readonly examples: number;
  readonly learningRate: number;
  /** Number of steps before this one. */
  readonly steps: number;
}

/** What a step over ranks exchanges; the step of one process has none. */
export interface RankExchange extends RowSource {
  /** D over all ranks; the weights have the number of this rank. */
  readonly classes: number;
  /**
   * Exchange 1: announces the step and fetches the rows of V of the pairs' classes, which `refresh` then copies. A
   * collective.
   * @param localError why this rank rejects the step, and then the batch is not used; undefined when there is no error.
   * @returns m over all ranks, and whether U, U⁻¹ and C were replaced by another rank's.
   * @throws on every rank when one rank rejects the step.
   */
  fetchRows(
    batch: LocalBatch,
    localError: unknown,
  ): Promise<{ readonly totalExamples: number; readonly isReplaced: boolean }>;
  /**
   * Exchange 2: sums over the ranks, and sends the gradients of rows to the ranks that store them. A collective.
   * @param own undefined when this rank has failed, with `error`.
   * @throws on every rank when one has failed.
   */
  addUp(own: UpdateInputs | undefined, error: unknown): Promise<GlobalSums>;
}
