import { addDiagonal, fill, gemm, type Matrix, type Workspace } from '@vastmax/linalg-core';

/**
 * out += sourceᵀ, or out = sourceᵀ: a product with the identity, exact for finite numbers. 2m²n operations for m =
 * out.rows. There is no transposing kernel, and only `scores` needs one.
 */
export function addTransposed(workspace: Workspace, source: Matrix, out: Matrix, beta: 0 | 1): void {
  const identity = workspace.matrix('identity', out.rows, out.rows);
  fill(0, identity);
  addDiagonal(1, identity);
  gemm(identity, source, out, { transposeB: true, beta });
}
