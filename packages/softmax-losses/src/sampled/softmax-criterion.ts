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
 * Both kinds of logits are stored in one matrix, targets first; rows with fewer targets are padded with -Infinity. So
 * each row is one softmax.
 */
import {
  axpy,
  binary,
  copyColumns,
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
import { matrixWithCapacity } from './matrix-with-capacity.ts';
import {
  HostColumns,
  maskHits,
  writeMatrix,
  writeSamples,
  type CriterionInputs,
  type SampledCriterion,
} from './sampled-criterion.ts';

export function createSoftmaxCriterion(correctTargets: boolean): SampledCriterion {
  let places = new Int32Array(0);
  const columns = new HostColumns();

  /** The position of each pair's logit in the joint matrix. */
  function placesOf({ workspace, targets }: CriterionInputs, width: number): Indices {
    const { count, rows, positions } = targets;
    if (places.length < count) places = new Int32Array(Math.ceil(count * 1.5));
    for (let pair = 0; pair < count; pair++) places[pair] = rows[pair]! * width + positions[pair]!;
    return workspace.indices('joint targets', places, count);
  }

  return {
    needsTargetNoise: correctTargets,
    compute: (inputs) => {
      const { workspace, samples, targets, targetNoise, factors, logits, targetLogits } = inputs;
      const { examples, count, totals } = targets;
      const filled = (name: string, length: number, value: (i: number) => number): Matrix =>
        columns.place(workspace, name, length, value);
      const width = targets.widest + samples.columns;
      binary('add', logits, writeSamples(inputs, 'sample corrections', samples.corrections), logits);
      maskHits(inputs);
      if (correctTargets)
        binary('subtract', targetLogits, writeMatrix(workspace, 'target noise', targetNoise, count, 1), targetLogits);

      const joint = matrixWithCapacity(workspace, 'joint logits', examples, width, {
        columns: targets.widest + samples.maxColumns,
      });
      const flat = (): Matrix => joint.resize(examples * width, 1);
      const pairs = placesOf(inputs, width);
      fill(-Infinity, joint);
      copyColumns(logits, 0, joint, targets.widest, samples.columns);
      scatterRows(targetLogits, pairs, flat());
      joint.resize(examples, width);

      const logPartition = workspace.matrix('log partition', examples, 1);
      const maximum = workspace.matrix('largest logit', examples, 1);
      const sum = workspace.matrix('partition', examples, 1);
      reduce('maximum', joint, maximum);
      binary('subtract', joint, maximum, joint);
      unary('exp', joint, joint);
      reduce('sum', joint, sum);
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
      copyColumns(joint, targets.widest, logits, 0, samples.columns);
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
