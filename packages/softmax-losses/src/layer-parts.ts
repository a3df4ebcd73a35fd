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
export { weightOptions } from './layer/layer-options.ts';
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
export { maxRootNodes } from './tree/tree-shape.ts';
