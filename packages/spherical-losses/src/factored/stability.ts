/**
 * When to close a generation, and when a step is singular (mathematics.md §4). Thresholds follow from the precision: U
 * and U⁻¹ cancel in VU to about κ·ε, so f32 closes early (κ > 3 keeps the loss of accuracy below a factor of three) and
 * f64 later. A step at distance δ from a singular one multiplies κ by 1/δ at once, so both precisions take the singular
 * path early; with κ > 1,000 and δ < 1e-5 in f64 errors of 6e-10 were measured between the two.
 *
 * κ = ‖U‖_F·‖U⁻¹‖_F/d is 1 for U = I. Weight decay shrinks U and grows U⁻¹ without changing κ, so the scale of U is
 * bounded as well.
 */
import type { Precision } from '@vastmax/linalg-core';

export interface StabilityThresholds {
  /** Close the generation when κ exceeds it. */
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
 * Whether the small system T = I − … is too near to a singular one: by 1/‖T⁻¹‖, not by its condition alone, which is 1
 * for every 1×1 system however small. A system of norm above 1 is judged by its condition.
 */
export function isSingularSystem(
  reciprocalCondition: number,
  systemSquares: number,
  thresholds: StabilityThresholds,
): boolean {
  return !(reciprocalCondition * Math.min(1, Math.sqrt(systemSquares)) >= thresholds.reciprocalCondition);
}

/**
 * What κ is multiplied by at most when U becomes U·T: cond₂(T) ≤ max(1, ‖T‖)·max(1, ‖T⁻¹‖), T's eigenvalues being those
 * of the small system and ones. From ρ = 1/(‖T‖₁‖T⁻¹‖₁) and f = ‖T‖_F/√n of the n×n system: ‖T‖₁ ≤ f/ρ and ‖T⁻¹‖₁ ≤
 * 1/(ρf). Infinite for an empty or a singular system.
 */
export function conditionGrowth(reciprocalCondition: number, systemSquares: number, size: number): number {
  const scale = Math.sqrt(systemSquares / size);
  const growth = Math.max(1, scale / reciprocalCondition) * Math.max(1, 1 / (reciprocalCondition * scale));
  return Number.isNaN(growth) ? Infinity : growth;
}

export function mustClose(
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
 * After how many steps to close a generation without looking at κ, when it was `condition` before the last of `steps`
 * of them: so that it stays below the threshold if it goes on growing as it did, with room for a third more. Undefined
 * when there is nothing to tell from.
 */
export function stepsUntilClosing(
  condition: number,
  steps: number,
  thresholds: StabilityThresholds,
): number | undefined {
  if (steps < 2) return undefined;
  const growth = Math.log(Math.max(1, condition)) / (steps - 1);
  return Math.max(1, Math.floor((0.75 * Math.log(thresholds.condition)) / growth));
}
