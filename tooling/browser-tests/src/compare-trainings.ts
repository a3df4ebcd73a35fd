// The difference of two training runs, one of them in another JavaScript engine.

import type { BackendRun } from './page/report.ts';
import type { Training } from './page/training.ts';

/**
 * Tolerance after 300 steps if one engine rounds a multiply-add once and the other twice, relative to the largest
 * value. Observed: 2e-7 in the losses, 2e-6 in the gradient; two f32 runs of the layer may differ by 8e-5 after 2,000
 * (docs/exactness.md).
 */
export const roundingTolerance = 1e-5;

/**
 * The largest difference in the losses and in the gradient, each relative to the largest value; 0 if they are bitwise
 * equal.
 */
export function compareTrainings(actual: Training, expected: Training): number {
  return Math.max(
    largestDifference(actual.losses, expected.losses),
    largestDifference(actual.hiddenGradient, expected.hiddenGradient),
  );
}

/** @throws Error if the page reports an error instead */
export function trainingOf(run: BackendRun | undefined): Training {
  if (run === undefined) throw new Error('the page has not run this training');
  if ('error' in run) throw new Error(`the page could not train with threads ${run.threads}: ${run.error.message}`);
  return run.training;
}

function largestDifference(actual: readonly number[], expected: readonly number[]): number {
  if (actual.length !== expected.length || expected.length === 0)
    throw new Error(
      `the two runs have ${actual.length} and ${expected.length} numbers; they must be equal and above 0`,
    );
  const scale = Math.max(...expected.map(Math.abs));
  // JSON converts NaN to null, which gives an infinite difference here.
  return Math.max(
    ...expected.map((value, i) => (Number.isFinite(actual[i]) ? Math.abs(actual[i]! - value) / scale : Infinity)),
  );
}
