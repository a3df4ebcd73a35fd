export { createDistributedFactoredLayer } from './factored/create-distributed-layer.ts';
export type { DistributedFactoredLayer } from './factored/distributed-factored-layer.ts';
export type {
  DistributedFactoredLayerOptions,
  DistributedLayerCounters,
  ReplicaDrift,
} from './factored/layer-options.ts';
export { mergeShards, shardPlaceOf, type ShardPlace } from './factored/sharded-state.ts';
export {
  createDistributedHybridLayer,
  type DistributedHybridLayerOptions,
} from './hybrid/create-distributed-hybrid.ts';
export { ShardedTable } from './rows/sharded-table.ts';
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
export type { ReplicaOptions } from './subtrees/replica-options.ts';
export {
  createShardedHierarchicalSoftmax,
  createShardedTreeSoftmax,
  type ShardedHierarchicalSoftmaxOptions,
  type ShardedTreeSoftmaxOptions,
} from './subtrees/sharded-tree-layers.ts';
export type { SubtreeParallelLayer } from './subtrees/subtree-parallel-layer.ts';
