/**
 * The interface of a sampled loss: it computes the losses, and the gradients with respect to the logits, from the
 * logits of targets and negatives.
 */
import { fill, scatterRows, write, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { MergedTargets } from './merged-targets.ts';
import { indicesWithCapacity, matrixWithCapacity } from './matrix-with-capacity.ts';
import type { SampleSet } from './sample-set.ts';

export interface CriterionInputs {
  readonly workspace: Workspace;
  readonly samples: SampleSet;
  readonly targets: MergedTargets;
  /** ln(n·P) of each pair's class; only valid if `needsTargetNoise` is set. */
  readonly targetNoise: Float64Array;
  /** The factor of each example's loss in the reduced loss; the first m are valid. */
  readonly factors: Float64Array;
  /** m×columns; overwritten with the gradient of the reduced loss with respect to these logits. */
  readonly logits: Matrix;
  /** P×1; overwritten with the gradient. */
  readonly targetLogits: Matrix;
}

export interface SampledCriterion {
  readonly needsTargetNoise: boolean;
  /** m×1 losses, in the workspace. O(m·columns + P). */
  compute(inputs: CriterionInputs): Matrix;
}

/** Writes host numbers to a matrix of the workspace. */
export function writeMatrix(
  workspace: Workspace,
  name: string,
  values: Float64Array,
  rows: number,
  columns: number,
): Matrix {
  const matrix = workspace.matrix(name, rows, columns);
  write(values.subarray(0, rows * columns), matrix);
  return matrix;
}

/**
 * Writes one number for each example or pair, computed on the host in f64, to a column of the workspace. Its host
 * buffer is reused.
 */
export class HostColumns {
  #values: Float64Array = new Float64Array(0);

  place(workspace: Workspace, name: string, count: number, value: (i: number) => number): Matrix {
    if (this.#values.length < count) this.#values = new Float64Array(Math.ceil(count * 1.5));
    for (let i = 0; i < count; i++) this.#values[i] = value(i);
    return writeMatrix(workspace, name, this.#values, count, 1);
  }
}

/**
 * Writes one number for each sample to a matrix of the workspace, 1×columns or m×columns; both can be broadcast to the
 * logits.
 */
export function writeSamples({ workspace, samples }: CriterionInputs, name: string, values: Float64Array): Matrix {
  const { rows, columns, maxColumns } = samples;
  const matrix = matrixWithCapacity(workspace, name, rows, columns, { columns: maxColumns });
  write(values.subarray(0, rows * columns), matrix);
  return matrix;
}

/**
 * Sets the logits of accidental hits to -Infinity or a number that does the same, so that they contribute nothing to the
 * sums and have no gradient. O(hits).
 */
export function maskHits({ workspace, targets, logits }: CriterionInputs, masked: number = -Infinity): void {
  const { hits, hitCount, maxHits } = targets;
  if (hitCount === 0) return;
  const { rows, columns } = logits;
  const nothing = matrixWithCapacity(workspace, 'masked logits', hitCount, 1, { rows: maxHits });
  fill(masked, nothing);
  scatterRows(
    nothing,
    indicesWithCapacity(workspace, 'accidental hits', hits, hitCount, maxHits),
    logits.resize(rows * columns, 1),
  );
  logits.resize(rows, columns);
}
