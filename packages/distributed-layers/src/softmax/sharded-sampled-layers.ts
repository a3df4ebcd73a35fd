/** The three sampled losses over many ranks: one layer with three losses. */
import type { Backend } from '@vastmax/linalg-core';
import {
  negativeSamplingLoss,
  noiseContrastiveLoss,
  sampledSoftmaxLoss,
  type SampledLoss,
} from '@vastmax/softmax-losses/layer-parts';
import type { Communicator } from '@vastmax/collectives';
import { CollectivePreflight, createCollectively } from '../factored/collective-preflight.ts';
import { ShardedSampledLayer } from './sharded-sampled-layer.ts';
import type {
  AnyShardedSampledOptions,
  ShardedNegativeSamplingOptions,
  ShardedNoiseContrastiveOptions,
  ShardedSampledSoftmaxOptions,
} from './sharded-sampled-options.ts';

/**
 * `createSampledSoftmaxLayer` with the classes distributed over the ranks. A collective: all ranks, the same options.
 * Memory of each rank: D(d + 1)/p numbers, the rule's moments and the whole proposal. O(D·d) once.
 * @throws OutputLayerError `bad-option` on every rank when one has invalid options or they differ.
 */
export async function createShardedSampledSoftmax(
  communicator: Communicator,
  backend: Backend,
  options: ShardedSampledSoftmaxOptions,
): Promise<ShardedSampledLayer> {
  return createSharded(communicator, backend, options, 'sampled softmax', () => sampledSoftmaxLoss(options));
}

/**
 * `createNoiseContrastiveLayer` with the classes distributed over the ranks, as {@link createShardedSampledSoftmax}.
 * @throws OutputLayerError `bad-option`.
 */
export async function createShardedNoiseContrastive(
  communicator: Communicator,
  backend: Backend,
  options: ShardedNoiseContrastiveOptions,
): Promise<ShardedSampledLayer> {
  return createSharded(communicator, backend, options, 'noise-contrastive', () => noiseContrastiveLoss(options));
}

/**
 * `createNegativeSamplingLayer` with the classes distributed over the ranks, as {@link createShardedSampledSoftmax}.
 * @throws OutputLayerError `bad-option`.
 */
export async function createShardedNegativeSampling(
  communicator: Communicator,
  backend: Backend,
  options: ShardedNegativeSamplingOptions,
): Promise<ShardedSampledLayer> {
  return createSharded(communicator, backend, options, 'negative sampling', () => negativeSamplingLoss(options));
}

/** @param checkedLoss throws when the options are invalid. */
function createSharded(
  communicator: Communicator,
  backend: Backend,
  options: AnyShardedSampledOptions,
  kind: string,
  checkedLoss: () => SampledLoss,
): Promise<ShardedSampledLayer> {
  const preflight = new CollectivePreflight(communicator);
  return createCollectively(preflight, backend, {
    kind,
    options,
    create: () => new ShardedSampledLayer(communicator, backend, options, checkedLoss(), preflight),
    finish: () => backend.synchronize(),
  });
}
