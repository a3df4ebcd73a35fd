export { withBiasFeature, withoutBiasFeature } from './bias-feature.ts';
export { CallGuard, type HeldStep } from './call-guard.ts';
export { isOutputLayerError, OutputLayerError, type OutputLayerErrorCode } from './errors.ts';
export { checkClassRange, checkExampleClasses, checkHidden, checkStepOptions, checkTargets } from './input-checks.ts';
export type { OutputLayer, PreparedStep, StepOptions, StepResult, TwoPhaseOutputLayer } from './output-layer.ts';
export { ranksOf, topK, type RankingOptions, type TopK } from './rankings.ts';
export { explainNonFinite, StepMonitor, type FailedStep } from './step-monitor.ts';
