/**
 * How far a correct backend may be from the f64 oracle. Derived from error bounds, never chosen to pass a test.
 *
 * Sums of k products: |got − exact| ≤ k·u·Σ|a||b| for any order of summation (Higham, Accuracy and Stability of
 * Numerical Algorithms, 2nd ed., §3.1), u = ε/2. The oracle in f64 errs by as much where the backend is f64 itself,
 * hence c·k·ε·Σ|a||b| with c = 1; three roundings are added for alpha, beta and storing. Numbers below the smallest
 * normal one may be flushed to zero.
 *
 * Elementwise functions: 4 ulps of the terms that the function's definition adds up (for x·Φ(x) with Φ = (1 + erf)/2,
 * that is |x|), plus 4 times the conditioning |x·f′(x)|·ε, which is what an argument rounded once inside costs (exp as
 * 2^(x·log₂e) does that).
 */
import type { Precision } from '@vastmax/linalg-core';

const ulpsOfElementwise = 4;

/** Distance from 1 to the next number: 2⁻²³ or 2⁻⁵². */
export function epsilonOf(precision: Precision): number {
  return precision === 'f32' ? 2 ** -23 : 2 ** -52;
}

/** 2⁻¹²⁶ or 2⁻¹⁰²². */
export function smallestNormalOf(precision: Precision): number {
  return precision === 'f32' ? 2 ** -126 : 2 ** -1022;
}

/** For sums of `terms` products whose absolute values add up to `magnitudes`. */
export function sumTolerance(precision: Precision, terms: number, magnitudes: ArrayLike<number>): Float64Array {
  const epsilon = epsilonOf(precision);
  const smallest = smallestNormalOf(precision);
  return Float64Array.from(magnitudes, (magnitude) => (terms + 3) * (epsilon * magnitude + smallest));
}

/** For f(x): `magnitude` of the terms of its definition, `conditioning` |x·f′(x)|. */
export function elementwiseTolerance(precision: Precision, magnitude: number, conditioning: number): number {
  return ulpsOfElementwise * (epsilonOf(precision) * (magnitude + conditioning) + smallestNormalOf(precision));
}
