/** The parts of the factored layer, for layers that run the same mathematics over rows that lie elsewhere (distributed-mpi). May change with any version. */
export { backwardPass, type BackwardPass } from './factored/backward-pass.ts';
export { ClassScores, type ScoreWeights } from './factored/class-scores.ts';
export { touchedGradient, updateColumnSum, updateShift, type SumInputs } from './factored/exact-update.ts';
export { FactoredWeights } from './factored/factored-weights.ts';
export { forwardPass, withBiasFeature, type ForwardPass, type ForwardWeights } from './factored/forward-pass.ts';
export { computeGram, rowsPerBlock, storeGram, type GramSums } from './factored/gram-matrix.ts';
export { createNormalRows } from './factored/initial-rows.ts';
export { checkOptions, checkRows } from './factored/layer-options.ts';
export { restoreWeights, stateOf, wholeNumber } from './factored/layer-state.ts';
export { LossEvaluation, type LossGradients, type LossInputs } from './factored/loss-evaluation.ts';
export { explainNonFinite } from './factored/non-finite.ts';
export { conditionGrowth, conditionOf, isSingularSystem, mustClose, thresholdsFor } from './factored/stability.ts';
export { StepMonitor } from './factored/step-monitor.ts';
export { TargetPairs } from './factored/target-pairs.ts';
export type { ClassConstants } from './factored/training-step.ts';
