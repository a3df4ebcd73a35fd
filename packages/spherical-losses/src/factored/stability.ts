/**
 * When to close a generation, and when a step is singular (mathematics.md §4). Thresholds follow from the precision: U and U⁻¹ cancel in
 * VU to about κ·ε, so f32 closes early (κ > 3 keeps the loss of accuracy below a factor of three) and f64 late.
 *
 * κ = ‖U‖_F·‖U⁻¹‖_F/d is 1 for U = I. Weight decay shrinks U and grows U⁻¹ without changing κ, so the scale of U is bounded as well.
 */
import type { Precision } from '@vastmax/linalg-core';

export interface StabilityThresholds {
  /** Close the generation when κ exceeds it. */
  readonly condition: number;
  /** Take the singular path when the small system's reciprocal condition is below it. */
  readonly reciprocalCondition: number;
}

export function thresholdsFor(precision: Precision): StabilityThresholds {
  return precision === 'f32' ? { condition: 3, reciprocalCondition: 0.02 } : { condition: 1e3, reciprocalCondition: 1e-5 };
}

const smallestScale = 1e-4;

/** From the squared Frobenius norms of U and U⁻¹. */
export function conditionOf(mapSquares: number, inverseSquares: number, width: number): number {
  return width === 0 ? 1 : Math.sqrt(mapSquares * inverseSquares) / width;
}

export function mustClose(mapSquares: number, inverseSquares: number, width: number, thresholds: StabilityThresholds): boolean {
  const condition = conditionOf(mapSquares, inverseSquares, width);
  return !(condition <= thresholds.condition) || mapSquares < smallestScale * width || inverseSquares < smallestScale * width;
}
