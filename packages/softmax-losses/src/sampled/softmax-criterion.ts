/**
 * Sampled softmax: −Σ y (o_t − ln Ẑ) with Ẑ = Σ over the example's targets of exp(o_t) + Σ over its negatives of
 * exp(o_i + correction_i).
 *
 * A target contributes with its own logit and is masked among the negatives. The terms of the negatives have the
 * expectation Σ exp(o) over the other classes, so Ẑ is an unbiased estimate of the partition function Z (the loss
 * contains ln Ẑ and is biased, as with every sampled softmax). The gradient is that of the corrected logQ term of
 * K. Khrylchenko et al. (arXiv:2507.09331), with the target outside of the sum and the example weighted with its
 * estimated 1 − p(t): (1 − p)·(−∇o_t + Σ over the negatives of p_i/(1 − p)·∇o_i). S. Jean et al. (arXiv:1412.2007) and TensorFlow's
 * sampled_softmax_loss instead also correct the target's logit by −ln(n·P(t)), and classify which member of the set of
 * target and samples is the target: `correctTargets`. The optimum is the same, but Ẑ is then not an estimate of Z, and
 * the loss has another scale.
 *
 * The logits of the negatives are exponentiated in place, less the largest of each row. The targets of an example are a
 * row of a small matrix, after that largest logit; rows with fewer targets are padded with -Infinity.
 */
import {
  axpy,
  binary,
  copyColumns,
  exponentiateRows,
  fill,
  gatherRows,
  reduce,
  scaleRows,
  scatterAddRows,
  scatterRows,
  unary,
  type Indices,
  type Matrix,
} from '@vastmax/linalg-core';
import {
  HostColumns,
  maskHits,
  writeMatrix,
  writeSamples,
  type CriterionInputs,
  type SampledCriterion,
} from './sampled-criterion.ts';

/** Of a masked negative: its exponential is 0 beside any other logit, and finite where all negatives are masked. */
const maskedLogit = -1e30;

export function createSoftmaxCriterion(correctTargets: boolean): SampledCriterion {
  let places = new Int32Array(0);
  const columns = new HostColumns();

  /** The position of each pair's logit in the joint matrix. */
  function placesOf({ workspace, targets }: CriterionInputs, width: number): Indices {
    const { count, rows, positions } = targets;
    if (places.length < count) places = new Int32Array(Math.ceil(count * 1.5));
    for (let pair = 0; pair < count; pair++) places[pair] = rows[pair]! * width + 1 + positions[pair]!;
    return workspace.indices('joint targets', places, count);
  }

  return {
    needsTargetNoise: correctTargets,
    compute: (inputs) => {
      const { workspace, samples, targets, targetNoise, factors, logits, targetLogits } = inputs;
      const { examples, count, totals } = targets;
      const filled = (name: string, length: number, value: (i: number) => number): Matrix =>
        columns.place(workspace, name, length, value);
      binary('add', logits, writeSamples(inputs, 'sample corrections', samples.corrections), logits);
      maskHits(inputs, maskedLogit);
      if (correctTargets)
        binary('subtract', targetLogits, writeMatrix(workspace, 'target noise', targetNoise, count, 1), targetLogits);

      const column = (name: string): Matrix => workspace.matrix(name, examples, 1);
      const ofSamples = column('partition of samples');
      exponentiateRows(logits, column('largest logit of samples'), ofSamples);
      const width = 1 + targets.widest;
      const joint = workspace.matrix('joint logits', examples, width);
      const flat = (): Matrix => joint.resize(examples * width, 1);
      const pairs = placesOf(inputs, width);
      fill(-Infinity, joint);
      copyColumns(column('largest logit of samples'), 0, joint, 0, 1);
      scatterRows(targetLogits, pairs, flat());
      joint.resize(examples, width);

      const maximum = column('largest logit');
      const sum = column('partition');
      exponentiateRows(joint, maximum, sum);
      const scale = column('scale of samples');
      copyColumns(joint, 0, scale, 0, 1);
      binary('multiply', ofSamples, scale, ofSamples);
      copyColumns(ofSamples, 0, joint, 0, 1);
      reduce('sum', joint, sum);
      const logPartition = column('log partition');
      unary('log', sum, logPartition);
      binary('add', logPartition, maximum, logPartition);

      const losses = workspace.matrix('losses', examples, 1);
      scaleRows(
        logPartition,
        filled('target totals', examples, (example) => totals[example]!),
        losses,
      );
      scaleRows(
        targetLogits,
        filled('target weights', count, (pair) => -targets.weights[pair]!),
        targetLogits,
      );
      scatterAddRows(targetLogits, workspace.indices('target examples', targets.rows, count), losses);

      const shares = filled('target shares', examples, (example) => factors[example]! * totals[example]!);
      binary('divide', shares, sum, shares);
      scaleRows(joint, shares, joint);
      binary('multiply', scale, shares, scale);
      scaleRows(logits, scale, logits);
      gatherRows(flat(), pairs, targetLogits);
      joint.resize(examples, width);
      axpy(
        -1,
        filled('target weights', count, (pair) => factors[targets.rows[pair]!]! * targets.weights[pair]!),
        targetLogits,
      );
      return losses;
    },
  };
}
