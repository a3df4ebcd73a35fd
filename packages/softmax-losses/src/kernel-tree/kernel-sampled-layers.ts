/** Sampled softmax with the kernel proposals: RF-softmax, and sampling with the quadratic kernel. */
import type { Backend } from '@vastmax/linalg-core';
import { checkLayerOptions, type SoftmaxLayerOptions } from '../layer/layer-options.ts';
import { createSampledSoftmaxLayer, type SampledLayer } from '../sampled/sampled-layers.ts';
import { createQuadraticProposal, createRandomFourierProposal, type KernelTreeOptions } from './kernel-proposal.ts';

/** Options of the softmax sampled by random Fourier features (arXiv:1907.10747). */
export interface RandomFourierSoftmaxOptions extends Omit<SoftmaxLayerOptions, 'bias'> {
  /** τ: logits are τ·cos(h, c). Default 1/0.3² = 11.1, the setting of arXiv:1907.10747 §4. */
  readonly temperature?: number;
  /** n, the number of negatives drawn for each example; default 100. */
  readonly samples?: number;
  /** R, the number of frequencies; there are 2R features. Default 512. */
  readonly frequencies?: number;
  /** ν, the inverse temperature of the sampling kernel, smaller than τ; default 4. */
  readonly nu?: number;
  /** Whether the frequencies of each block of d are orthogonal, for less variance. Default true. */
  readonly orthogonal?: boolean;
  /**
   * Seed of the frequencies; default 1. It does not depend on `seed`, because a checkpoint can only be restored into a
   * layer with the same frequencies.
   */
  readonly featureSeed?: number;
  /** Seed of the draws; default `seed` + 1. */
  readonly sampleSeed?: number;
  readonly tree?: Omit<KernelTreeOptions, 'backend'>;
}

/** Options of the softmax sampled by a quadratic kernel (arXiv:1712.00527). */
export interface QuadraticSoftmaxOptions extends SoftmaxLayerOptions {
  /** α of the kernel α·o² + 1; default 100, as in arXiv:1712.00527. */
  readonly alpha?: number;
  /** n, the number of negatives drawn for each example; default 100. */
  readonly samples?: number;
  /**
   * τ: logits are τ·cos(h, c) without biases, and the kernel is computed from the cosine. Default: logits are h·c + b,
   * and the kernel includes the bias.
   */
  readonly temperature?: number;
  /** Seed of the draws; default `seed` + 1. */
  readonly sampleSeed?: number;
  readonly tree?: Omit<KernelTreeOptions, 'backend'>;
}

/**
 * RF-softmax (A. S. Rawat et al., "Sampled Softmax with Random Fourier Features", NeurIPS 2019, arXiv:1907.10747).
 * Hidden activations and class vectors are normalised to length 1, logits are τ hᵀc, and each example's n negatives are
 * drawn with P approximately ∝ exp(ν hᵀc) by descending a tree of random Fourier features. The logit of a negative is
 * corrected to o − ln(n·P) with the exact P; the logit of the target is not corrected. `evaluate` is the exact
 * log-softmax of all τ hᵀc. The initial class vectors have lengths of about 1: a step changes the direction of a longer
 * vector less.
 *
 * **Patent**: US 12,205,005 covers training by this method. The licence of this package grants no right under it; you
 * must find out yourself whether you may use the method. `createSampledSoftmaxLayer` with a fixed proposal does not use
 * it.
 *
 * Cost of a step: m·n draws of O(R·log D), O(m·n·d) for the sampled logits, and O(R(d + log D)) for each class whose
 * vector has changed by more than the tree's tolerance (a tenth of its length) since the tree last stored it; draws run
 * on the host. Memory: 4Dd bytes of weights, and twice as much for the tree.
 * @throws OutputLayerError `bad-option`; LinalgError `out-of-memory`.
 */
export async function createRandomFourierSoftmaxLayer(
  backend: Backend,
  options: RandomFourierSoftmaxOptions,
): Promise<SampledLayer> {
  const {
    temperature = 1 / 0.3 ** 2,
    samples = 100,
    frequencies = 512,
    nu = 4,
    featureSeed = 1,
    orthogonal = true,
    tree,
    ...layer
  } = options;
  checkLayerOptions('rf-softmax', layer);
  const { classes, features } = layer;
  const kernel = { frequencies, nu, orthogonal, seed: featureSeed };
  const proposal = createRandomFourierProposal(classes, features, {
    precision: backend.precision,
    ...tree,
    ...kernel,
    backend,
  });
  return createSampledSoftmaxLayer(backend, {
    initialScale: 1 / Math.sqrt(features),
    ...layer,
    samples,
    temperature,
    proposal,
  });
}

/**
 * Sampled softmax with the quadratic kernel (G. Blanc, S. Rendle, "Adaptive Sampled Softmax with Kernel Based
 * Sampling", ICML 2018, arXiv:1712.00527): each example's n negatives are drawn with P ∝ α·o² + 1, exactly, by a tree
 * of second moments. The kernel does not depend on the sign of a logit. `evaluate` is the exact log-softmax over all
 * classes.
 *
 * Cost of a step: m·n draws of O(d²·log(D/d)), O(m·n·d) for the sampled logits, and O(d²·log D) for each class whose
 * vector has changed by more than the tree's tolerance; draws run on the host. Memory: 4Dd bytes of weights, and twice
 * as much for the tree.
 * @throws OutputLayerError `bad-option`; LinalgError `out-of-memory`.
 */
export async function createQuadraticSoftmaxLayer(
  backend: Backend,
  options: QuadraticSoftmaxOptions,
): Promise<SampledLayer> {
  const { alpha = 100, samples = 100, tree, ...layer } = options;
  checkLayerOptions('quadratic-softmax', layer);
  const { classes, features, temperature, bias = temperature === undefined } = layer;
  const proposal = createQuadraticProposal(classes, features + (bias ? 1 : 0), {
    precision: backend.precision,
    ...tree,
    alpha,
    backend,
  });
  const initialScale = temperature === undefined ? 0.01 : 1 / Math.sqrt(features);
  return createSampledSoftmaxLayer(backend, { initialScale, ...layer, samples, proposal });
}
