/**
 * Log-probabilities of classes under a normalised loss. Of one class for each example they are minus its loss. For a range, log p_c is the log
 * of what p_c is proportional to and a part that belongs to the example, which the first class shows: log p₀ less the log of what p₀ is
 * proportional to. So no loss has to say its normaliser twice.
 */
import { affine, axpy, binary, unary, type Matrix, type Workspace } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import { singleTargets } from '@vastmax/sparse-data';
import type { SphericalLoss } from '../loss.ts';
import type { ClassScores } from './class-scores.ts';
import type { TrainingStep } from './training-step.ts';

/** The arguments have been checked. @param out m×1. */
export function classLogProbabilities(loss: SphericalLoss, step: TrainingStep, hidden: Matrix, classes: Int32Array, out: Matrix): void {
  requireNormalized(loss, 'classLogProbabilities');
  affine(step.computeLosses(hidden, singleTargets(classes, step.classes)), -1, 0, out);
}

/**
 * @param inputs `hidden` as the layer was given it, `extended` with the bias feature.
 * @param out m×count.
 */
export function rangeLogProbabilities(
  workspace: Workspace,
  loss: SphericalLoss,
  step: TrainingStep,
  scores: ClassScores,
  { hidden, extended }: { readonly hidden: Matrix; readonly extended: Matrix },
  firstClass: number,
  out: Matrix,
): void {
  requireNormalized(loss, 'logProbabilities');
  const expression = loss.unnormalizedProbability;
  if (expression === undefined) {
    throw new OutputLayerError('bad-option', `factored logProbabilities: the loss ${loss.name} does not say what its probabilities are proportional to (unnormalizedProbability)`);
  }
  const first = new Int32Array(hidden.rows);
  const normalizer = workspace.matrix('log normalizer', hidden.rows, 1);
  const ownPart = workspace.matrix('log unnormalized', hidden.rows, 1);
  classLogProbabilities(loss, step, hidden, first, normalizer);
  scores.each(extended, first, step.constants, expression, ownPart);
  unary('log', ownPart, ownPart);
  axpy(-1, ownPart, normalizer);
  scores.range(extended, firstClass, step.constants, expression, out);
  unary('log', out, out);
  binary('add', out, normalizer, out);
}

function requireNormalized({ name, isNormalized }: SphericalLoss, operation: string): void {
  if (isNormalized) return;
  throw new OutputLayerError('bad-option', `factored ${operation}: the loss ${name} gives no probabilities; spherical-softmax and taylor-softmax do`);
}
