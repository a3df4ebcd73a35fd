export { savedModule, splitModules, type SavedModules } from './checkpoint/sharded-modules.ts';
export { CommunicatorError, isCommunicatorError, type CommunicatorErrorCode } from './communicator-error.ts';
export type { Communicator, CommunicatorArray, Traffic } from './communicator.ts';
export { gatherJson } from './gather-json.ts';
export { createDistributedFactoredLayer } from './layer/create-distributed-layer.ts';
export type { DistributedFactoredLayer } from './layer/distributed-layer.ts';
export type { DistributedFactoredLayerOptions, DistributedLayerCounters, ReplicaDrift } from './layer/layer-options.ts';
export { mergeShards, type ShardPlace } from './layer/sharded-state.ts';
export { createMpiCommunicator, type MpiCommunicatorOptions } from './mpi/mpi-transport.ts';
export { probeMpi, type MpiProbeOptions } from './mpi/probe.ts';
export { ShardedTable } from './rows/sharded-table.ts';
export { createSingleCommunicator } from './single-communicator.ts';
export { runAsThreadRank, startThreadRanks, type ThreadRanksOptions } from './threads/thread-ranks.ts';
export {
  BatchParts,
  createSequenceSlice,
  sliceNgramBatch,
  sliceSparseBatch,
  type BatchSlice,
  type UnionBatches,
} from './training/batch-parts.ts';
export { gatherStreams, ownStreams } from './training/carried-streams.ts';
export {
  DataParallel,
  type DataParallelOptions,
  type RowGradient,
  type SharedParameters,
} from './training/data-parallel.ts';
export type { ShardedSampledLayer } from './softmax/sharded-sampled-layer.ts';
export {
  createShardedNegativeSampling,
  createShardedNoiseContrastive,
  createShardedSampledSoftmax,
} from './softmax/sharded-sampled-layers.ts';
export type {
  ShardedNegativeSamplingOptions,
  ShardedNoiseContrastiveOptions,
  ShardedSampledSoftmaxOptions,
} from './softmax/sharded-sampled-options.ts';
export type { VocabularyParallelSoftmaxOptions } from './softmax/softmax-options.ts';
export {
  createVocabularyParallelSoftmax,
  type VocabularyParallelSoftmax,
} from './softmax/vocabulary-parallel-softmax.ts';
