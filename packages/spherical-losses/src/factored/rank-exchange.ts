/**
 * The two seams of a step (factored-step.ts) that many ranks fill in, each with a part of the examples and of the rows:
 * where rows of V come from, and how sums over the examples are made. In one process there is no exchange.
 */
import type { GlobalSums, UpdateInputs } from './exact-update.ts';
import type { RowSource, TargetPairs } from './forward-pass.ts';

/** This rank's part of a step. */
export interface LocalBatch {
  readonly pairs: TargetPairs;
  /** m of this rank. */
  readonly examples: number;
  readonly learningRate: number;
  /** Taken before this one. */
  readonly steps: number;
}

export interface RankExchange extends RowSource {
  /** D over all ranks; the weights know this rank's. */
  readonly classes: number;
  /**
   * Seam 1: announce the step and fetch the rows of V of the pairs' classes, which `refresh` then hands out. A
   * collective.
   * @param localError why this rank must refuse the step, and then the batch is not used; undefined when it need not.
   * @returns m over all ranks, and whether U, U⁻¹ and C were replaced by another rank's.
   * @throws on every rank when one must refuse.
   */
  fetchRows(
    batch: LocalBatch,
    localError: unknown,
  ): Promise<{ readonly totalExamples: number; readonly isReplaced: boolean }>;
  /**
   * Seam 2: add up the ranks' sums, and give the gradients of rows to the ranks that keep them. A collective.
   * @param own undefined when this rank has failed, with `error`.
   * @throws on every rank when one has failed.
   */
  addUp(own: UpdateInputs | undefined, error: unknown): Promise<GlobalSums>;
}
