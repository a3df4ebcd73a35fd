/** The three sampled losses as output layers of one process. */
import { Workspace, type Backend } from '@vastmax/linalg-core';
import { ClassTable } from '../class-table/class-table.ts';
import { weightOptions } from '../layer/layer-options.ts';
import { SoftmaxLayer } from '../layer/softmax-layer.ts';
import {
  hasBias,
  type AnySampledOptions,
  type NegativeSamplingOptions,
  type NoiseContrastiveOptions,
  type SampledSoftmaxOptions,
} from './sampled-layer-options.ts';
import {
  createSampledMethod,
  negativeSamplingLoss,
  noiseContrastiveLoss,
  sampledSoftmaxLoss,
  samplingPlan,
  type SampledLoss,
} from './sampled-losses.ts';
import type { SampledMethod } from './sampled-method.ts';

/** A layer that trains on sampled classes; `method.samples` are those of its last step. */
export type SampledLayer = SoftmaxLayer<SampledMethod>;

/**
 * Sampled softmax: the partition function of each example is estimated from its targets and sampled negatives,
 * importance-weighted so that the estimate is unbiased (Y. Bengio, J.-S. Senécal, IEEE Trans. Neural Networks 19(4),
 * 2008; S. Jean et al., arXiv:1412.2007). The gradient is biased; the bias is smaller with more samples and with a
 * proposal closer to the model. `evaluate` is the exact log-softmax loss over all classes.
 *
 * Cost of a step with n shared samples: 6mnd operations and (m + n)·d numbers gathered and scattered, for any D; with n
 * samples for each example m·n·d numbers are gathered. Memory: 4D(d+1) bytes of weights, the rule's moments and the
 * proposal.
 * @throws OutputLayerError `bad-option`, `non-finite`; LinalgError `out-of-memory`.
 */
export async function createSampledSoftmaxLayer(
  backend: Backend,
  options: SampledSoftmaxOptions,
): Promise<SampledLayer> {
  return createSampledLayer(backend, options, sampledSoftmaxLoss(options));
}

/**
 * Noise-contrastive estimation: distinguishes targets from n draws of noise by logistic regression on o − c − ln(n·P)
 * (M. Gutmann, A. Hyvärinen, AISTATS 2010; A. Mnih, Y. W. Teh, arXiv:1206.6426), which makes exp(o − c) a nearly
 * normalised distribution without a partition function in training. `evaluate` is the exact log-softmax loss over all
 * classes, which normalises exactly. Costs are those of sampled softmax.
 * @throws OutputLayerError `bad-option`, `non-finite`; LinalgError `out-of-memory`.
 */
export async function createNoiseContrastiveLayer(
  backend: Backend,
  options: NoiseContrastiveOptions,
): Promise<SampledLayer> {
  return createSampledLayer(backend, options, noiseContrastiveLoss(options));
}

/**
 * Negative sampling (T. Mikolov et al., arXiv:1310.4546 §2.2): logistic regression on the logit itself. It gives good
 * class vectors, but no probabilities: at the optimum o is ln p(class|h) − ln(n·P(class)), and classes are ranked by
 * this association score, which favours rare classes. `evaluate` is the expectation of the training loss over the
 * samples, summed exactly over all classes; it is not −ln p, so `isNormalized` is false. Costs are those of sampled
 * softmax.
 * @throws OutputLayerError `bad-option`, `non-finite`; LinalgError `out-of-memory`.
 */
export async function createNegativeSamplingLayer(
  backend: Backend,
  options: NegativeSamplingOptions,
): Promise<SampledLayer> {
  return createSampledLayer(backend, options, negativeSamplingLoss(options));
}

async function createSampledLayer(
  backend: Backend,
  options: AnySampledOptions,
  loss: SampledLoss,
): Promise<SampledLayer> {
  const { classes, features, initialBiases } = options;
  const { rule, seed, initialScale } = weightOptions(options);
  const plan = samplingPlan(options);
  const workspace = new Workspace(backend);
  const table = new ClassTable(
    backend,
    {
      name: 'classes',
      rows: classes,
      features,
      bias: hasBias(options),
      rule,
      seed,
      initialScale,
      ...(initialBiases === undefined ? {} : { initialBiases }),
    },
    workspace,
  );
  const method = createSampledMethod(loss, plan, table, workspace);
  const layer = new SoftmaxLayer(method, rule, options.reduction);
  try {
    await method.initialize();
    await backend.synchronize();
  } catch (error) {
    layer[Symbol.dispose]();
    throw error;
  }
  return layer;
}
