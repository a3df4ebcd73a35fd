import { copyColumns, fill, type Matrix, type Workspace } from '@vastmax/linalg-core';

/** `hidden` with a column of ones appended when the classes have biases; otherwise `hidden` itself. */
export function withBiasFeature(workspace: Workspace, hidden: Matrix, bias: boolean): Matrix {
  if (!bias) return hidden;
  const extended = workspace.matrix('hidden with bias', hidden.rows, hidden.columns + 1);
  const ones = workspace.matrix('bias ones', hidden.rows, 1);
  fill(1, ones);
  copyColumns(hidden, 0, extended, 0, hidden.columns);
  copyColumns(ones, 0, extended, hidden.columns, 1);
  return extended;
}

/** The first `features` columns of a gradient with respect to what `withBiasFeature` returned. */
export function withoutBiasFeature(workspace: Workspace, gradient: Matrix, features: number): Matrix {
  if (gradient.columns === features) return gradient;
  const narrow = workspace.matrix('hidden gradient without bias', gradient.rows, features);
  copyColumns(gradient, 0, narrow, 0, features);
  return narrow;
}
