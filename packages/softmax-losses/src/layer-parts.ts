/**
 * Internal parts of these layers, for layers that run the same mathematics on rows stored elsewhere
 * (distributed-layers). They may change with any version.
 */
export {
  ClassTable,
  createInitialRows,
  isTensorOfTable,
  type RowList,
  type RowSource,
  type TrainableRows,
} from './class-table/class-table.ts';
export { BlockedSoftmax } from './full/blocked-softmax.ts';
export { layoutByFrequency, type ClusterLayout } from './hierarchical/cluster-layout.ts';
export { ClusterScores } from './hierarchical/cluster-scores.ts';
export { InClusterSoftmax } from './hierarchical/in-cluster-softmax.ts';
export { checkSameIntegers, integerTensor } from './layer/integer-tensor.ts';
export { checkLayerOptions, checkPerClass, weightOptions } from './layer/layer-options.ts';
export { TargetList } from './layer/target-list.ts';
export { ClassVectors } from './sampled/class-vectors.ts';
export { expectedLogisticLosses } from './sampled/exact-losses.ts';
export { createDotGeometry } from './sampled/logit-geometry.ts';
export { MergedTargets } from './sampled/merged-targets.ts';
export {
  createSampledMethod,
  negativeSamplingLoss,
  noiseContrastiveLoss,
  sampledSoftmaxLoss,
  samplingPlan,
  type SampledLoss,
  type SamplingPlan,
} from './sampled/sampled-losses.ts';
export { LevelSoftmax } from './tree/level-softmax.ts';
export { TreeScores, type ScoredRows } from './tree/tree-scores.ts';
export { checkTreeOptions, chooseTreeSizes, maxRootNodes, tableName, TreeShape } from './tree/tree-shape.ts';
export { initialBiasesOf } from './tree/tree-softmax.ts';
