/**
 * Which rows to convert in the background, so that no row lags far behind and the ladder's memory is bounded
 * (mathematics.md §4).
 *
 * A pass goes round the table once for every half of the lag bound L: each closing adds 2D/L rows of debt, paid off in
 * the steps that follow, at the pace of the last generation's length. Rows are brought to the last multiple of L/2, not
 * to the present: such rows go the next time from one multiple to the next, which takes one map of the ladder instead
 * of 2·log₂ L. (Multiples of L/4 took two for every other row, and made the squared error's steps 5 % slower.) L is at
 * least 64 and grows with D/(16d): then the ladder, at most 2L maps of d² numbers, stays within a quarter of V's own
 * size, and a closing adds at most 32d rows of debt, whatever D is.
 */
export interface SweepRange {
  firstRow: number;
  count: number;
  /** Generation that the rows are brought to. */
  target: number;
}

export interface SweepState {
  readonly cursor: number;
  readonly debt: number;
  readonly passBoundary: number;
  readonly stepsInGeneration: number;
  readonly pace: number;
}

export class BackgroundSweep {
  #cursor = 0;
  /** Rows still to be visited on account of closings so far. */
  #debt = 0;
  /** At the end of the current pass every row is at least this generation. */
  #passBoundary = 0;
  #stepsInGeneration = 0;
  /** Rows a step. */
  #pace = 0;
  readonly #range: SweepRange = { firstRow: 0, count: 0, target: 0 };

  /** L, the most generations that a row may lag behind. */
  static lagBound(classes: number, width: number): number {
    let bound = 64;
    while (bound < classes / (16 * width)) bound *= 2;
    return bound;
  }

  /** A generation was closed. */
  closed(classes: number, lagBound: number): void {
    const rows = Math.ceil((2 * classes) / lagBound);
    this.#debt += rows;
    this.#pace = Math.ceil(rows / Math.max(1, this.#stepsInGeneration));
    this.#stepsInGeneration = 0;
  }

  /** The rows of this step; count 0 when there is nothing to do. The object is reused. */
  next(classes: number, current: number, lagBound: number): SweepRange {
    this.#stepsInGeneration++;
    const range = this.#range;
    range.target = current - (current % (lagBound / 2));
    range.firstRow = this.#cursor;
    range.count = Math.min(this.#debt, this.#pace, classes - this.#cursor);
    this.#debt -= range.count;
    return range;
  }

  /**
   * The range given by `next` has been converted.
   * @returns the generation that no row is older than, when a pass ended with this range; else undefined.
   */
  visited(range: SweepRange, classes: number): number | undefined {
    if (this.#cursor === 0) this.#passBoundary = range.target;
    this.#cursor += range.count;
    if (this.#cursor < classes) return undefined;
    this.#cursor = 0;
    return this.#passBoundary;
  }

  /** Every row is at the current generation: nothing is owed. */
  reset(): void {
    this.restore({ cursor: 0, debt: 0, passBoundary: 0, stepsInGeneration: this.#stepsInGeneration, pace: 0 });
  }

  state(): SweepState {
    return {
      cursor: this.#cursor,
      debt: this.#debt,
      passBoundary: this.#passBoundary,
      stepsInGeneration: this.#stepsInGeneration,
      pace: this.#pace,
    };
  }

  restore(state: SweepState): void {
    this.#cursor = state.cursor;
    this.#debt = state.debt;
    this.#passBoundary = state.passBoundary;
    this.#stepsInGeneration = state.stepsInGeneration;
    this.#pace = state.pace;
  }
}
