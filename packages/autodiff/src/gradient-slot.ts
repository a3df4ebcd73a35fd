/**
 * A sum of gradient contributions that copies as little as it can. `add` and `subtract` send the same matrix to two
 * inputs; it is lent (`shared`) rather than copied, and whoever has to add to a lent matrix makes its own first: copy
 * on write. Both sides of a loan are marked, so neither writes under the other. A mark outlives its loan at the cost of
 * one copy at most.
 */
import { affine, axpy, copy, type Matrix } from '@vastmax/linalg-core';

export interface GradientSlot {
  /** undefined: nothing has arrived. */
  matrix: Matrix | undefined;
  /** The matrix is also somebody else's: read it, never write it. */
  shared: boolean;
}

/** Where to get a matrix for a sum of its own. */
export type Allocate = (rows: number, columns: number) => Matrix;

export function createGradientSlot(): GradientSlot {
  return { matrix: undefined, shared: false };
}

/** slot += contribution; the contribution becomes the slot's own. */
export function giveTo(slot: GradientSlot, contribution: Matrix): void {
  const { matrix } = slot;
  if (matrix !== undefined && !slot.shared) {
    axpy(1, contribution, matrix);
    return;
  }
  if (matrix !== undefined) axpy(1, matrix, contribution);
  slot.matrix = contribution;
  slot.shared = false;
}

/**
 * slot += factor·source; the source stays what it is. With `lend` a first contribution of factor 1 is not even copied.
 */
export function passTo(
  slot: GradientSlot,
  source: GradientSlot,
  factor: number,
  lend: boolean,
  allocate: Allocate,
): void {
  const { matrix } = slot;
  if (source.matrix === undefined) return;
  if (matrix !== undefined && !slot.shared) {
    axpy(factor, source.matrix, matrix);
    return;
  }
  if (matrix === undefined && lend && factor === 1) {
    slot.matrix = source.matrix;
    slot.shared = true;
    source.shared = true;
    return;
  }
  const own = allocate(source.matrix.rows, source.matrix.columns);
  if (factor === 1) copy(source.matrix, own);
  else affine(source.matrix, factor, 0, own);
  if (matrix !== undefined) axpy(1, matrix, own);
  slot.matrix = own;
  slot.shared = false;
}

/** total += finished, where the finished sum is needed no longer as such: moved if it can be. */
export function settleInto(total: GradientSlot, finished: GradientSlot, allocate: Allocate): void {
  if (total.matrix === undefined) {
    total.matrix = finished.matrix;
    total.shared = finished.shared;
  } else if (finished.matrix !== undefined && !finished.shared) {
    giveTo(total, finished.matrix);
  } else {
    passTo(total, finished, 1, false, allocate);
  }
  finished.matrix = undefined;
  finished.shared = false;
}

/** The slot's own matrix for a kernel that adds by itself; `beta` 0 says that it holds nothing yet. */
export function openSlot(
  slot: GradientSlot,
  rows: number,
  columns: number,
  allocate: Allocate,
): { out: Matrix; beta: 0 | 1 } {
  const { matrix } = slot;
  if (matrix !== undefined && !slot.shared) return { out: matrix, beta: 1 };
  const own = allocate(rows, columns);
  if (matrix !== undefined) copy(matrix, own);
  slot.matrix = own;
  slot.shared = false;
  return { out: own, beta: matrix === undefined ? 0 : 1 };
}
