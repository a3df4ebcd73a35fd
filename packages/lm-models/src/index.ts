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
} from './optimizers/update-rules.ts';
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
export {
  createOutputLayer,
  outputLayerNames,
  trainingDefaults,
  type OutputLayerChoice,
  type OutputLayerName,
  type TrainingDefaults,
} from './training/output-layer-choice.ts';
export {
  evaluateRanking,
  RankCollector,
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
