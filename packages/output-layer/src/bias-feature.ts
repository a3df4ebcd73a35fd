import { copyColumns, fill, type Matrix, type Workspace } from '@vastmax/linalg-core';

/**
 * `hidden` m×features with a column of ones appended where the class weights have a bias in their last column; else
 * `hidden` itself.
 * @param name of the workspace's matrix that holds it until the next call with that name.
 */
export function withBiasFeature(
  workspace: Workspace,
  hidden: Matrix,
  bias: boolean,
  name = 'hidden with bias',
): Matrix {
  if (!bias) return hidden;
  const extended = workspace.matrix(name, hidden.rows, hidden.columns + 1);
  fill(1, extended);
  copyColumns(hidden, 0, extended, 0, hidden.columns);
  return extended;
}

/**
 * The other way, for a gradient with respect to what {@link withBiasFeature} returned: its first `features` columns.
 */
export function withoutBiasFeature(workspace: Workspace, gradient: Matrix, features: number): Matrix {
  if (gradient.columns === features) return gradient;
  const narrow = workspace.matrix('hidden gradient without bias', gradient.rows, features);
  copyColumns(gradient, 0, narrow, 0, features);
  return narrow;
}
