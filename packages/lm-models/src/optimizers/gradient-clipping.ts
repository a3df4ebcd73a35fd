/**
 * Gradients scaled down to a largest norm over all parameters together (Pascanu et al., arXiv:1211.5063 §3.2). The
 * factor is computed where the gradients are: nothing waits for the device. A table's gradients count by the rows as
 * they were gathered; a row that was gathered twice counts as two.
 */
import { affine, axpy, binary, fill, reduce, unary, type Matrix, type Workspace } from '@vastmax/linalg-core';

/** Scales the gradients in place so that ‖g‖ ≤ maximumNorm. O(elements). */
export function clipGradients(gradients: readonly Matrix[], maximumNorm: number, workspace: Workspace): void {
  const total = workspace.matrix('clip total', 1, 1);
  const part = workspace.matrix('clip part', 1, 1);
  fill(0, total);
  for (const gradient of gradients) {
    reduce('sumSquares', gradient, part);
    axpy(1, part, total);
  }
  // min(1, c/‖g‖) = 1 − relu(1 − c/‖g‖); for ‖g‖ = 0 the quotient is infinite and the factor 1.
  unary('sqrt', total, total);
  fill(maximumNorm, part);
  binary('divide', part, total, part);
  affine(part, -1, 1, part);
  unary('relu', part, part);
  affine(part, -1, 1, part);
  for (const gradient of gradients) binary('multiply', gradient, part, gradient);
}
