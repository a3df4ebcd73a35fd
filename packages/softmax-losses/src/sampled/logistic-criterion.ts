/**
 * Logistic losses that distinguish targets from noise: Σ y (ln(1 + e^(−s_t)) + Σ over the negatives of weight_i·ln(1 +
 * e^(s_i))).
 *
 * Noise-contrastive estimation (M. Gutmann, A. Hyvärinen, AISTATS 2010; for language models A. Mnih, Y. W. Teh,
 * arXiv:1206.6426): s = o − c − ln(n·P), where c is the log of the normaliser. c is fixed (Mnih and Teh found that 0 is
 * as good as learned values, and class biases can learn it). Then exp(o − c) converges to a normalised distribution.
 * Negative sampling (T. Mikolov et al., arXiv:1310.4546 §2.2): s = o, without correction. Then o converges to ln
 * p(class|h) − ln(n·P(class)), an association score and not a log probability.
 */
import {
  affine,
  axpy,
  binary,
  fill,
  reduce,
  scaleRows,
  scatterAddRows,
  unary,
  type Matrix,
} from '@vastmax/linalg-core';
import { matrixWithCapacity } from './matrix-with-capacity.ts';
import {
  HostColumns,
  maskHits,
  writeMatrix,
  writeSamples,
  type CriterionInputs,
  type SampledCriterion,
} from './sampled-criterion.ts';

export interface LogisticCriterionOptions {
  /** Whether ln(n·P) is subtracted: true for NCE. */
  readonly subtractNoise: boolean;
  /** c. */
  readonly logNormalizer: number;
}

export function createLogisticCriterion({ subtractNoise, logNormalizer }: LogisticCriterionOptions): SampledCriterion {
  const columns = new HostColumns();
  const filled = ({ workspace }: CriterionInputs, name: string, count: number, value: (i: number) => number): Matrix =>
    columns.place(workspace, name, count, value);

  function addTargets(inputs: CriterionInputs, losses: Matrix): void {
    const { workspace, targets, targetNoise, factors, targetLogits } = inputs;
    const { count, rows, weights } = targets;
    const surprisals = workspace.matrix('target surprisals', count, 1);
    if (subtractNoise)
      binary('subtract', targetLogits, writeMatrix(workspace, 'target noise', targetNoise, count, 1), targetLogits);
    affine(targetLogits, -1, logNormalizer, targetLogits);
    unary('softplus', targetLogits, surprisals);
    scaleRows(
      surprisals,
      filled(inputs, 'target weights', count, (pair) => weights[pair]!),
      surprisals,
    );
    scatterAddRows(surprisals, workspace.indices('target examples', rows, count), losses);
    unary('sigmoid', targetLogits, targetLogits);
    scaleRows(
      targetLogits,
      filled(inputs, 'target weights', count, (pair) => -factors[rows[pair]!]! * weights[pair]!),
      targetLogits,
    );
  }

  function addNegatives(inputs: CriterionInputs, losses: Matrix): void {
    const { workspace, samples, targets, factors, logits } = inputs;
    const { examples, totals } = targets;
    const weights = writeSamples(inputs, 'sample weights', samples.weights);
    const surprisals = matrixWithCapacity(workspace, 'sample surprisals', logits.rows, logits.columns, {
      columns: samples.maxColumns,
    });
    const sum = workspace.matrix('surprisal of samples', examples, 1);
    if (logNormalizer !== 0) affine(logits, 1, -logNormalizer, logits);
    if (subtractNoise) binary('subtract', logits, writeSamples(inputs, 'sample noise', samples.noise), logits);
    maskHits(inputs);
    unary('softplus', logits, surprisals);
    binary('multiply', surprisals, weights, surprisals);
    reduce('sum', surprisals, sum);
    scaleRows(
      sum,
      filled(inputs, 'target totals', examples, (example) => totals[example]!),
      sum,
    );
    axpy(1, sum, losses);
    unary('sigmoid', logits, logits);
    binary('multiply', logits, weights, logits);
    scaleRows(
      logits,
      filled(inputs, 'target totals', examples, (example) => factors[example]! * totals[example]!),
      logits,
    );
  }

  return {
    needsTargetNoise: subtractNoise,
    compute: (inputs) => {
      const losses = inputs.workspace.matrix('losses', inputs.targets.examples, 1);
      fill(0, losses);
      addTargets(inputs, losses);
      addNegatives(inputs, losses);
      return losses;
    },
  };
}
