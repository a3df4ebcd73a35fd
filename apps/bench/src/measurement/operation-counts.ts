/** Floating-point operations, as docs/performance.md counts them: a multiplication and an addition are two. */
import type { UpdateForm } from '@vastmax/spherical-losses';

/** C = A·B with C m×n and k in between. */
export function gemmFlops(m: number, n: number, k: number): number {
  return 2 * m * n * k;
}

/**
 * One step of the factored layer, m examples of width d, whatever D is: 14md² + 8m²d + ⅔m³ in m×m form, 14md² + 9d³ in
 * row form (arXiv:1606.08061 §5). What is linear in d is left out.
 */
export function factoredFlops(form: UpdateForm, m: number, d: number): number {
  const shared = 14 * m * d * d;
  return form === 'row' ? shared + 9 * d ** 3 : shared + 8 * m * m * d + (2 / 3) * m ** 3;
}

/** The same step with W stored: outputs, hidden gradient and update, a product of 2mDd each. */
export function denseFlops(classes: number, m: number, d: number): number {
  return 3 * gemmFlops(m, classes, d);
}
