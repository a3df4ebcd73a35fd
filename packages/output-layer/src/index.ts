export { CallGuard, type PendingStep } from './call-guard.ts';
export { isOutputLayerError, OutputLayerError, type OutputLayerErrorCode } from './errors.ts';
export {
  checkClassRange,
  checkClassScores,
  checkClassVectors,
  checkExampleClasses,
  checkHidden,
  checkOut,
  checkScores,
  checkStepOptions,
  checkTargets,
  withBiasFeature,
  withoutBiasFeature,
} from './layer-calls.ts';
export type { OutputLayer, PreparedStep, StepOptions, StepResult, TopK, TwoPhaseOutputLayer } from './output-layer.ts';
export { ranksOf, topK, withFixedWeights, type RankingOptions } from './rankings.ts';
export { explainNonFinite, StepMonitor, type FailedStep } from './step-monitor.ts';
