import { addDiagonal, fill, gemm, type Matrix, type Workspace } from '@vastmax/linalg-core';

/**
 * out += sourceᵀ, or out = sourceᵀ, computed as a product with the identity matrix, which is exact for finite numbers.
 * 2m²n operations for m = out.rows. Backends have no transpose operation, and only `scores` needs one.
 */
export function addTransposed(workspace: Workspace, source: Matrix, out: Matrix, beta: 0 | 1): void {
  const identity = workspace.matrix('identity', out.rows, out.rows);
  fill(0, identity);
  addDiagonal(1, identity);
  gemm(identity, source, out, { transposeB: true, beta });
}
