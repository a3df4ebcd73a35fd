/**
 * What a sampled loss is: from the logits of targets and negatives to the losses and the gradients with respect to
 * these logits.
 */
import { fill, scatterRows, write, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { MergedTargets } from './merged-targets.ts';
import { indicesWithCapacity, matrixWithCapacity } from './matrix-with-capacity.ts';
import type { SampleSet } from './sample-set.ts';

export interface CriterionInputs {
  readonly workspace: Workspace;
  readonly samples: SampleSet;
  readonly targets: MergedTargets;
  /** ln(n·P) of each pair's class; filled where the criterion says that it needs it. */
  readonly targetNoise: Float64Array;
  /** Of each example's loss in the reduced loss; the first m. */
  readonly factors: Float64Array;
  /** m×columns; becomes the gradient of the reduced loss with respect to itself. */
  readonly logits: Matrix;
  /** P×1; becomes the gradient. */
  readonly targetLogits: Matrix;
}

export interface SampledCriterion {
  readonly needsTargetNoise: boolean;
  /** m×1 losses, in the workspace. O(m·columns + P). */
  compute(inputs: CriterionInputs): Matrix;
}

/** Host numbers as a matrix of the workspace. */
export function placed(
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

/** A number for each example or pair, computed on the host in f64, as a column of the workspace. Keeps its buffer. */
export class HostColumns {
  #values: Float64Array = new Float64Array(0);

  place(workspace: Workspace, name: string, count: number, value: (i: number) => number): Matrix {
    if (this.#values.length < count) this.#values = new Float64Array(Math.ceil(count * 1.5));
    for (let i = 0; i < count; i++) this.#values[i] = value(i);
    return placed(workspace, name, this.#values, count, 1);
  }
}

/** A number for each sample as 1×columns or m×columns: either is added to the logits. */
export function placedSamples({ workspace, samples }: CriterionInputs, name: string, values: Float64Array): Matrix {
  const { rows, columns, maxColumns } = samples;
  const matrix = matrixWithCapacity(workspace, name, rows, columns, { columns: maxColumns });
  write(values.subarray(0, rows * columns), matrix);
  return matrix;
}

/** Logits of accidental hits become -Infinity: then they have no term in any of the sums and no gradient. O(hits). */
export function maskHits({ workspace, targets, logits }: CriterionInputs): void {
  const { hits, hitCount } = targets;
  if (hitCount === 0) return;
  const { rows, columns } = logits;
  const most = targets.maxHits;
  const nothing = matrixWithCapacity(workspace, 'masked logits', hitCount, 1, { rows: most });
  fill(-Infinity, nothing);
  scatterRows(
    nothing,
    indicesWithCapacity(workspace, 'accidental hits', hits, hitCount, most),
    logits.resize(rows * columns, 1),
  );
  logits.resize(rows, columns);
}
