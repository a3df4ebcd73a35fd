/** The three sampled losses as output layers: one method, three criteria. */
import { Workspace, type Backend } from '@vastmax/linalg-core';
import { OutputLayerError, type JsonObject } from '@vastmax/output-layer';
import { ClassTable } from '../class-table/class-table.ts';
import { weightOptions, type SoftmaxLayerOptions } from '../layer/layer-options.ts';
import { SoftmaxLayer } from '../layer/softmax-layer.ts';
import { createLearnedUnigramProposal } from '../proposals/learned-unigram.ts';
import type { Proposal } from '../proposals/proposal.ts';
import { ClassVectors } from './class-vectors.ts';
import { createCosineGeometry, createDotGeometry } from './logit-geometry.ts';
import { createLogisticCriterion } from './logistic-criterion.ts';
import {
  checkFixedProposal,
  checkSamplingOptions,
  hasBias,
  type NegativeSamplingOptions,
  type NoiseContrastiveOptions,
  type SampledSoftmaxOptions,
  type SamplingOptions,
} from './sampled-layer-options.ts';
import type { SampledCriterion } from './sampled-criterion.ts';
import { SampledMethod } from './sampled-method.ts';
import { Sampler } from './sampler.ts';
import { createSoftmaxCriterion } from './softmax-criterion.ts';

/** A layer that trains on sampled classes; `method.samples` are those of its last step. */
export type SampledLayer = SoftmaxLayer<SampledMethod>;

/**
 * Sampled softmax: the partition function of each example is estimated from its targets and sampled negatives, importance-weighted so
 * that the estimate is unbiased (Y. Bengio, J.-S. Senécal, IEEE Trans. Neural Networks 19(4), 2008; S. Jean et al., arXiv:1412.2007). The
 * gradient is biased, less with more samples and with a proposal nearer to the model. `evaluate` is the exact log-softmax loss over all classes.
 *
 * Cost of a step with n shared samples: 6mnd operations and (m + n)·d numbers gathered and scattered, whatever D is; with n samples for each
 * example m·n·d numbers are moved. Memory: 4D(d+1) bytes of weights, the rule's moments and the proposal.
 * @throws OutputLayerError `bad-option`, `non-finite`; LinalgError `out-of-memory`.
 */
export async function createSampledSoftmaxLayer(backend: Backend, options: SampledSoftmaxOptions): Promise<SampledLayer> {
  const { correctTargets = false, temperature = null } = options;
  if (correctTargets && options.proposal?.kind === 'query') {
    throw new OutputLayerError('bad-option', `sampled-softmax: correctTargets needs the target's probability, which the ${options.proposal.name} proposal does not know`);
  }
  return createSampledLayer(backend, options, {
    kind: 'sampled-softmax',
    criterion: createSoftmaxCriterion(correctTargets),
    evaluation: 'softmax',
    configuration: { correctTargets, temperature },
  });
}

/**
 * Noise-contrastive estimation: tell targets from n draws of noise by logistic regression on o − c − ln(n·P) (M. Gutmann, A. Hyvärinen,
 * AISTATS 2010; A. Mnih, Y. W. Teh, arXiv:1206.6426), which makes exp(o − c) a nearly normalised distribution without a partition function
 * in training. `evaluate` is the exact log-softmax loss over all classes, which needs no such hope. Costs as sampled softmax.
 * @throws OutputLayerError `bad-option`, `non-finite`; LinalgError `out-of-memory`.
 */
export async function createNoiseContrastiveLayer(backend: Backend, options: NoiseContrastiveOptions): Promise<SampledLayer> {
  const { logNormalizer = 0 } = options;
  if (!Number.isFinite(logNormalizer)) {
    throw new OutputLayerError('bad-option', `noise-contrastive: logNormalizer must be a finite number, got ${logNormalizer}`);
  }
  checkFixedProposal('noise-contrastive', options);
  return createSampledLayer(backend, options, {
    kind: 'noise-contrastive',
    criterion: createLogisticCriterion({ subtractNoise: true, logNormalizer }),
    evaluation: 'softmax',
    configuration: { logNormalizer },
  });
}

/**
 * Negative sampling (T. Mikolov et al., arXiv:1310.4546 §2.2): logistic regression on the logit itself. Good vectors, no probabilities: at its optimum o is
 * ln p(class|h) − ln(n·P(class)), and classes are ranked by that association, which favours rare ones. `evaluate` is the expectation of the
 * training loss over the samples, summed exactly over all classes; it is no −ln p, so `isNormalized` is false. Costs as sampled softmax.
 * @throws OutputLayerError `bad-option`, `non-finite`; LinalgError `out-of-memory`.
 */
export async function createNegativeSamplingLayer(backend: Backend, options: NegativeSamplingOptions): Promise<SampledLayer> {
  checkFixedProposal('negative-sampling', options);
  return createSampledLayer(backend, options, {
    kind: 'negative-sampling',
    criterion: createLogisticCriterion({ subtractNoise: false, logNormalizer: 0 }),
    evaluation: 'expected-logistic',
    configuration: {},
  });
}

interface Loss {
  readonly kind: string;
  readonly criterion: SampledCriterion;
  readonly evaluation: 'softmax' | 'expected-logistic';
  readonly configuration: JsonObject;
}

async function createSampledLayer(
  backend: Backend,
  options: SoftmaxLayerOptions & SamplingOptions<Proposal> & { readonly temperature?: number },
  loss: Loss,
): Promise<SampledLayer> {
  checkSamplingOptions(loss.kind, options);
  const { classes, features, initialBiases, temperature, samples = 500, unique = false, removeAccidentalHits = true } = options;
  const { rule, seed, initialScale } = weightOptions(options);
  const { proposal = createLearnedUnigramProposal(classes), sampleSeed = seed + 1 } = options;
  const sharing = options.sharing ?? (proposal.kind === 'query' ? 'example' : 'minibatch');
  const bias = hasBias(options);
  const workspace = new Workspace(backend);
  const table = new ClassTable(
    backend,
    { name: 'classes', rows: classes, features, bias, rule, seed, initialScale, ...(initialBiases === undefined ? {} : { initialBiases }) },
    workspace,
  );
  const geometry = temperature === undefined ? createDotGeometry(workspace, bias, features) : createCosineGeometry(workspace, temperature);
  const vectors = new ClassVectors(table, geometry, workspace);
  const sampler = new Sampler(vectors, { proposal, tries: samples, sharing, unique, seed: sampleSeed });
  const layer = new SoftmaxLayer(new SampledMethod({ ...loss, vectors, sampler, removeHits: removeAccidentalHits }), rule, options.reduction);
  try {
    await sampler.initialize();
    await backend.settled();
  } catch (error) {
    layer[Symbol.dispose]();
    throw error;
  }
  return layer;
}
