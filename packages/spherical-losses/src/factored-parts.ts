/**
 * The parts of the factored layer, for layers that run the same mathematics over rows that lie elsewhere
 * (distributed-layers). May change with any version.
 */
export { backwardPass, type BackwardPass } from './factored/backward-pass.ts';
export { appendClassConstants, createClassConstants, type ClassConstants } from './factored/class-constants.ts';
export { normalizeLogs, requireProbabilities, requireUnnormalized } from './factored/class-probabilities.ts';
export { ClassScores, type ScoreWeights } from './factored/class-scores.ts';
export {
  touchedGradient,
  updateColumnSum,
  updateShift,
  type SumInputs,
  type TouchedRows,
} from './factored/exact-update.ts';
export { FactoredWeights } from './factored/factored-weights.ts';
export { forwardPass, type ForwardPass, type ForwardWeights } from './factored/forward-pass.ts';
export { GenerationControl } from './factored/generation-control.ts';
export { computeGram, rowsPerBlock, storeGram, type GramSums } from './factored/gram-matrix.ts';
export { createNormalRows } from './factored/initial-rows.ts';
export { checkAddedClasses, checkDecay, checkOptions, checkRows } from './factored/layer-options.ts';
export {
  classRowTensors,
  checkConfiguration,
  configurationOf,
  constantSumOf,
  restoreWeights,
  stateOf,
  stepCountsOf,
} from './factored/layer-state.ts';
export { LossEvaluation, type LossGradients, type LossInputs } from './factored/loss-evaluation.ts';
export { lossInputsOf } from './factored/loss-inputs.ts';
export { explainNonFinite } from './factored/non-finite.ts';
export { crossProduct, gammaVector, mapChange, solveMap, updateGram, updateMapAndRows } from './factored/row-form.ts';
export { StepMonitor } from './factored/step-monitor.ts';
export { TargetPairs } from './factored/target-pairs.ts';
export { compareWithExact } from './factored/verification.ts';
