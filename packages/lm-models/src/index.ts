export { activationNames, NgramBody, type ActivationName, type NgramBodyOptions } from './models/ngram-body.ts';
export {
  createSchedule,
  scheduleNames,
  type LearningRateSchedule,
  type ScheduleName,
  type ScheduleOptions,
} from './optimizers/learning-rate-schedule.ts';
export { Optimizer } from './optimizers/optimizer.ts';
export {
  adagradRule,
  adamRule,
  createUpdateRule,
  momentumRule,
  sgdRule,
  updateRuleNames,
  type UpdateRule,
  type UpdateRuleName,
} from '@vastmax/update-rules';
export { Parameter, TableParameter, type ModelParameters } from './parameters.ts';
export {
  createLanguageModel,
  LanguageModel,
  loadLanguageModel,
  modelOptionsFrom,
  type LanguageModelOptions,
  type NextWord,
  type SavedModel,
} from './training/language-model.ts';
export { computeNeighbors, type Neighbor, type VectorKind } from './training/neighbors.ts';
export { createOutputLayer, type OutputLayerSizes } from './output-layers/create-output-layer.ts';
export {
  outputLayerNames,
  proposalNames,
  type OutputLayerChoice,
  type OutputLayerName,
  type ProposalName,
} from './output-layers/output-layer-choice.ts';
export { trainingDefaults, type TrainingDefaults } from './output-layers/training-defaults.ts';
export {
  evaluateRanking,
  type BandMetrics,
  RankCollector,
  type RankingReport,
  reportedTops,
  unigramBaseline,
  type EvaluationOptions,
  type RankingMetrics,
} from './training/ranking-metrics.ts';
export {
  Trainer,
  TrainingDivergedError,
  type TrainingEvent,
  type TrainingOptions,
  type TrainingProgress,
  type TrainingSnapshot,
} from './training/trainer.ts';
