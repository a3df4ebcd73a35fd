/**
 * The parts of the factored layer, for a layer that runs the same step over ranks (distributed-layers) by implementing
 * `RankExchange`. May change with any version.
 */
export {
  appendClassConstants,
  ClassScores,
  createClassConstants,
  normalizeLogs,
  requireProbabilities,
  requireUnnormalized,
  type ClassConstants,
  type ScoreWeights,
} from './factored/class-scores.ts';
export {
  type GlobalSums,
  type SumName,
  type TouchedRows,
  type UpdateInputs,
  touchedGradient,
} from './factored/exact-update.ts';
export { FactoredStep } from './factored/factored-step.ts';
export { decayFactor, FactoredWeights } from './factored/factored-weights.ts';
export { compareWithExact, computeGram, rowsPerBlock, storeGram, type GramSums } from './factored/gram-matrix.ts';
export { checkLoss } from './losses/check-loss.ts';
export { checkAddedClasses, checkOptions, checkRows, createNormalRows } from './factored/layer-options.ts';
export { checkConfiguration, classRowTensors, constantSumOf, restoreState, stateOf } from './factored/layer-state.ts';
export type { LocalBatch, RankExchange } from './factored/rank-exchange.ts';
export { ownGram, ownSum } from './factored/row-form.ts';
