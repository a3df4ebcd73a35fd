/**
 * When to rebase, when a step is singular, and which rows to convert in the background (mathematics.md §4): rules that
 * do not access weights.
 *
 * Thresholds follow from the precision: U and U⁻¹ cancel in VU to about κ·ε, so f32 rebases early (κ > 3 keeps the loss
 * of accuracy below a factor of three) and f64 later. A step at distance δ from a singular one multiplies κ by 1/δ at
 * once, so both precisions take the singular path early; with κ > 1,000 and δ < 1e-5 in f64 errors of 6e-10 were
 * measured between the two.
 *
 * κ = ‖U‖_F·‖U⁻¹‖_F/d is 1 for U = I. Weight decay shrinks U and grows U⁻¹ without changing κ, so the scale of U is
 * bounded as well.
 */
import type { Precision } from '@vastmax/linalg-core';

export interface StabilityThresholds {
  /** Rebase when κ exceeds it. */
  readonly condition: number;
  /**
   * Take the singular path when the small system's reciprocal condition, or the reciprocal norm of its inverse, is
   * below it.
   */
  readonly reciprocalCondition: number;
}

export function thresholdsFor(precision: Precision): StabilityThresholds {
  return precision === 'f32'
    ? { condition: 3, reciprocalCondition: 0.02 }
    : { condition: 100, reciprocalCondition: 0.02 };
}

const smallestScale = 1e-4;

/** From the squared Frobenius norms of U and U⁻¹. */
export function conditionOf(mapSquares: number, inverseSquares: number, width: number): number {
  return width === 0 ? 1 : Math.sqrt(mapSquares * inverseSquares) / width;
}

/**
 * Whether the small system T = I − … is too near to a singular one. The test uses 1/‖T⁻¹‖, not the condition alone,
 * which is 1 for every 1×1 system however small. For a system of norm above 1 the condition is used.
 */
export function isSingularSystem(
  reciprocalCondition: number,
  systemSquares: number,
  thresholds: StabilityThresholds,
): boolean {
  return !(reciprocalCondition * Math.min(1, Math.sqrt(systemSquares)) >= thresholds.reciprocalCondition);
}

/**
 * The largest factor of κ when U becomes U·T: cond₂(T) ≤ max(1, ‖T‖)·max(1, ‖T⁻¹‖), T's eigenvalues being those of the
 * small system and ones. From ρ = 1/(‖T‖₁‖T⁻¹‖₁) and f = ‖T‖_F/√n of the n×n system: ‖T‖₁ ≤ f/ρ and ‖T⁻¹‖₁ ≤ 1/(ρf).
 * Infinite for an empty or a singular system.
 */
export function conditionGrowth(reciprocalCondition: number, systemSquares: number, size: number): number {
  const scale = Math.sqrt(systemSquares / size);
  const growth = Math.max(1, scale / reciprocalCondition) * Math.max(1, 1 / (reciprocalCondition * scale));
  return Number.isNaN(growth) ? Infinity : growth;
}

export function mustRebase(
  mapSquares: number,
  inverseSquares: number,
  width: number,
  thresholds: StabilityThresholds,
): boolean {
  const condition = conditionOf(mapSquares, inverseSquares, width);
  return (
    !(condition <= thresholds.condition) || mapSquares < smallestScale * width || inverseSquares < smallestScale * width
  );
}

/**
 * After how many steps to rebase without reading κ, when it was `condition` before the last of `steps` steps: so that κ
 * stays below the threshold if it keeps growing at the same rate, with a margin of a third. Undefined when there is no
 * growth to extrapolate.
 */
export function stepsUntilRebase(
  condition: number,
  steps: number,
  thresholds: StabilityThresholds,
): number | undefined {
  if (steps < 2) return undefined;
  const growth = Math.log(Math.max(1, condition)) / (steps - 1);
  return Math.max(1, Math.floor((0.75 * Math.log(thresholds.condition)) / growth));
}

/** Rows to convert, and the rebase epoch to convert them to. */
export interface SweepRange {
  firstRow: number;
  count: number;
  target: number;
}

export interface SweepState {
  readonly cursor: number;
  readonly debt: number;
  readonly passBoundary: number;
  readonly stepsInEpoch: number;
  readonly pace: number;
}

/**
 * Selects the rows to convert in the background, so that no row lags far behind and the memory of the transform cache
 * is bounded.
 *
 * A pass visits the whole table once for every half of the lag bound L: each rebase adds 2D/L rows of debt, which the
 * following steps work off, at a pace given by the length of the last epoch. Rows are converted to the last multiple of
 * L/2, not to the current epoch: in the next pass they then go from one multiple to the next, which takes one cached
 * transform instead of 2·log₂ L. (Multiples of L/4 took two for every other row, and made the squared error's steps 5 %
 * slower.) L is at least 64 and grows with D/(16d): then the cache, at most 2L transforms of d² numbers, stays within a
 * quarter of V's own size, and a rebase adds at most 32d rows of debt, whatever D is.
 */
export class BackgroundSweep {
  #cursor = 0;
  /** Rows that are still to be visited for the rebases so far. */
  #debt = 0;
  /** At the end of the current pass every row is of this epoch or a later one. */
  #passBoundary = 0;
  #stepsInEpoch = 0;
  /** Rows per step. */
  #pace = 0;
  readonly #range: SweepRange = { firstRow: 0, count: 0, target: 0 };

  /** L, the maximum number of epochs that a row may lag behind. */
  static lagBound(classes: number, width: number): number {
    let bound = 64;
    while (bound < classes / (16 * width)) bound *= 2;
    return bound;
  }

  /** To be called at each rebase. */
  addDebt(classes: number, lagBound: number): void {
    const rows = Math.ceil((2 * classes) / lagBound);
    this.#debt += rows;
    this.#pace = Math.ceil(rows / Math.max(1, this.#stepsInEpoch));
    this.#stepsInEpoch = 0;
  }

  /** The rows of this step; count 0 when there is nothing to do. The object is reused. */
  next(classes: number, current: number, lagBound: number): SweepRange {
    this.#stepsInEpoch++;
    const range = this.#range;
    range.target = current - (current % (lagBound / 2));
    range.firstRow = this.#cursor;
    range.count = Math.min(this.#debt, this.#pace, classes - this.#cursor);
    this.#debt -= range.count;
    return range;
  }

  /**
   * The range given by `next` has been converted.
   * @returns the epoch that no row is older than, when a pass ended with this range; else undefined.
   */
  visited(range: SweepRange, classes: number): number | undefined {
    if (this.#cursor === 0) this.#passBoundary = range.target;
    this.#cursor += range.count;
    if (this.#cursor < classes) return undefined;
    this.#cursor = 0;
    return this.#passBoundary;
  }

  /** Every row is in the current epoch: no debt. */
  reset(): void {
    this.restore({ cursor: 0, debt: 0, passBoundary: 0, stepsInEpoch: this.#stepsInEpoch, pace: 0 });
  }

  state(): SweepState {
    return {
      cursor: this.#cursor,
      debt: this.#debt,
      passBoundary: this.#passBoundary,
      stepsInEpoch: this.#stepsInEpoch,
      pace: this.#pace,
    };
  }

  restore(state: SweepState): void {
    this.#cursor = state.cursor;
    this.#debt = state.debt;
    this.#passBoundary = state.passBoundary;
    this.#stepsInEpoch = state.stepsInEpoch;
    this.#pace = state.pace;
  }
}
