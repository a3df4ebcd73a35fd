/**
 * Sampled losses over all ranks, each with its part of minibatches that the seed gives, from a checkpoint or from the
 * start.
 */
import type { Communicator } from '@vastmax/collectives';
import {
  createShardedNegativeSampling,
  createShardedNoiseContrastive,
  createShardedSampledSoftmax,
  mergeShards,
  type ShardedSampledLayer,
} from '@vastmax/distributed-layers';
import { createPlainBackend, type Backend, type Precision } from '@vastmax/linalg-core';
import {
  createLearnedUnigramProposal,
  createLogUniformProposal,
  createNegativeSamplingLayer,
  createNoiseContrastiveLayer,
  createSampledSoftmaxLayer,
  createUniformProposal,
  createUnigramProposal,
  type FixedProposal,
  type NegativeSamplingOptions,
  type SampledLayer,
} from '@vastmax/softmax-losses';
import { createUpdateRule } from '@vastmax/update-rules';
import { moduleState, plainState, type PlainState } from './small-layer.ts';
import { classes, features, trainGlobalBatches, type GlobalAnswer, type GlobalTraining } from './global-training.ts';

const proposals: Readonly<Record<'learned' | 'uniform' | 'log-uniform' | 'unigram', () => FixedProposal>> = {
  learned: () => createLearnedUnigramProposal(classes),
  uniform: () => createUniformProposal(classes),
  'log-uniform': () => createLogUniformProposal(classes),
  unigram: () => createUnigramProposal(Float64Array.from({ length: classes }, (_, k) => 100 / (k + 1))),
};

export interface SampledRequest extends GlobalTraining {
  readonly loss: 'sampled' | 'nce' | 'negative';
  readonly proposal: keyof typeof proposals;
  readonly precision: Precision;
  readonly rule: string;
  readonly bias: boolean;
  readonly unique?: boolean;
  readonly removeAccidentalHits?: boolean;
  /** Shards of a job of any number of ranks, to be resumed from. */
  readonly from?: readonly PlainState[];
}

export interface SampledAnswer extends GlobalAnswer {
  readonly state: PlainState;
  readonly steps: number;
}

export const sampledOptions = ({
  proposal,
  rule,
  bias,
  unique = false,
  removeAccidentalHits = true,
}: SampledRequest): Omit<NegativeSamplingOptions, 'sharing'> & { readonly proposal: FixedProposal } => ({
  classes,
  features,
  bias,
  unique,
  removeAccidentalHits,
  samples: 20,
  initialScale: 0.4,
  seed: 4,
  ...(bias ? { initialBiases: Float64Array.from({ length: classes }, (_, k) => -0.05 * k) } : {}),
  rule: createUpdateRule(rule),
  proposal: proposals[proposal](),
});

export function createSampledAlone(backend: Backend, request: SampledRequest): Promise<SampledLayer> {
  const options = sampledOptions(request);
  if (request.loss === 'sampled') return createSampledSoftmaxLayer(backend, options);
  return request.loss === 'nce'
    ? createNoiseContrastiveLayer(backend, { ...options, logNormalizer: 1 })
    : createNegativeSamplingLayer(backend, options);
}

export function createSampledTogether(
  communicator: Communicator,
  backend: Backend,
  request: SampledRequest,
): Promise<ShardedSampledLayer> {
  const options = sampledOptions(request);
  if (request.loss === 'sampled') return createShardedSampledSoftmax(communicator, backend, options);
  return request.loss === 'nce'
    ? createShardedNoiseContrastive(communicator, backend, { ...options, logNormalizer: 1 })
    : createShardedNegativeSampling(communicator, backend, options);
}

export async function sampled(communicator: Communicator, request: SampledRequest): Promise<SampledAnswer> {
  const { rank, size } = communicator;
  using layer = await createSampledTogether(
    communicator,
    createPlainBackend({ precision: request.precision }),
    request,
  );
  if (request.from !== undefined) {
    const shards = request.from.map(moduleState);
    const own = shards[rank];
    await layer.restore(shards.length === size && own !== undefined ? own : mergeShards(shards));
  }
  const answer = await trainGlobalBatches(communicator, layer, request);
  return { ...answer, state: await plainState(layer.state()), steps: layer.stepCount };
}
