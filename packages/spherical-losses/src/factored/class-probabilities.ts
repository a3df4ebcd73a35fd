/**
 * Log-probabilities of classes under a normalised loss. Of one class for each example they are minus its loss. For a
 * range, log p_c is the log of what p_c is proportional to and a part that belongs to the example, which the first
 * class of the range shows: log p less the log of what p is proportional to. So no loss has to say its normaliser
 * twice.
 */
import { axpy, binary, copyColumns, unary, type Matrix, type Workspace } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import type { SphericalLoss } from '../loss.ts';

/** @throws OutputLayerError `bad-option`. */
export function requireProbabilities({ name, isNormalized }: SphericalLoss, operation: string): void {
  if (isNormalized) return;
  throw new OutputLayerError(
    'bad-option',
    `factored ${operation}: the loss ${name} gives no probabilities; spherical-softmax and taylor-softmax do`,
  );
}

/** What the probabilities are proportional to. @throws OutputLayerError `bad-option`. */
export function requireUnnormalized(
  loss: SphericalLoss,
  operation: string,
): NonNullable<SphericalLoss['unnormalizedProbability']> {
  requireProbabilities(loss, operation);
  const { name, unnormalizedProbability } = loss;
  if (unnormalizedProbability !== undefined) return unnormalizedProbability;
  throw new OutputLayerError(
    'bad-option',
    `factored ${operation}: the loss ${name} does not say what its probabilities are proportional to (unnormalizedProbability)`,
  );
}

/**
 * @param firstLosses m×1, the loss of each example with the first class of the range as its target.
 * @param out m×count: what the probabilities of the range are proportional to; replaced by their logs; not empty.
 */
export function normalizeLogs(workspace: Workspace, firstLosses: Matrix, out: Matrix): void {
  unary('log', out, out);
  const excess = workspace.matrix('log excess', out.rows, 1);
  copyColumns(out, 0, excess, 0, 1);
  axpy(1, firstLosses, excess);
  binary('subtract', out, excess, out);
}
