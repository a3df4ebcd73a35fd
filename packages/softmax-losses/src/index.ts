export { createAdaptiveSoftmaxLayer, type AdaptiveSoftmaxOptions } from './adaptive/adaptive-softmax.ts';
export { balancedCutoffs, type BalancedCutoffsOptions } from './adaptive/cutoffs.ts';
export { createFullSoftmaxLayer, type FullSoftmaxLayer, type FullSoftmaxOptions } from './full/full-softmax.ts';
export {
  createQuadraticProposal,
  createRandomFourierProposal,
  type KernelProposal,
  type KernelTreeCounters,
  type KernelTreeOptions,
  type QuadraticProposalOptions,
  type RandomFourierProposalOptions,
} from './kernel-tree/kernel-proposal.ts';
export {
  createHierarchicalSoftmaxLayer,
  type HierarchicalSoftmaxOptions,
} from './hierarchical/hierarchical-softmax.ts';
export { createHuffmanSoftmaxLayer, type HuffmanSoftmaxOptions } from './hierarchical/huffman-softmax.ts';
export {
  createQuadraticSoftmaxLayer,
  createRandomFourierSoftmaxLayer,
  type QuadraticSoftmaxOptions,
  type RandomFourierSoftmaxOptions,
} from './kernel-tree/kernel-sampled-layers.ts';
export type { SoftmaxLayerOptions } from './layer/layer-options.ts';
export { SoftmaxLayer, type ScoreOptions } from './layer/softmax-layer.ts';
export { createLearnedUnigramProposal, type LearnedUnigramOptions } from './proposals/learned-unigram.ts';
export {
  createLogUniformProposal,
  createUniformProposal,
  createUnigramProposal,
  type UnigramProposalOptions,
} from './proposals/fixed-proposals.ts';
export {
  createStratifiedUnigram,
  type StratifiedSampling,
  type StratifiedUnigramOptions,
} from './proposals/stratified-unigram.ts';
export type { ClassVectorSource, FixedProposal, Proposal, QueryProposal } from './proposals/proposal.ts';
export type {
  NegativeSamplingOptions,
  NoiseContrastiveOptions,
  SampledSoftmaxOptions,
  SamplingOptions,
} from './sampled/sampled-layer-options.ts';
export {
  createNegativeSamplingLayer,
  createNoiseContrastiveLayer,
  createSampledSoftmaxLayer,
  type SampledLayer,
} from './sampled/sampled-layers.ts';
export type { SampledMethod } from './sampled/sampled-method.ts';
export {
  createTreeSoftmaxLayer,
  TreeSoftmax,
  type TreeSoftmaxLayer,
  type TreeSoftmaxOptions,
} from './tree/tree-softmax.ts';
export { treeTables, type TreeOptions } from './tree/tree-shape.ts';
