export { isOutputLayerError, OutputLayerError, type OutputLayerErrorCode } from './errors.ts';
export {
  CallGuard,
  checkClassRange,
  checkExampleClasses,
  checkHidden,
  checkStepOptions,
  checkTargets,
  withBiasFeature,
  withoutBiasFeature,
  type PendingStep,
} from './layer-calls.ts';
export type { OutputLayer, PreparedStep, StepOptions, StepResult, TwoPhaseOutputLayer } from './output-layer.ts';
export { ranksOf, topK, type RankingOptions, type TopK } from './rankings.ts';
export { explainNonFinite, StepMonitor, type FailedStep } from './step-monitor.ts';
