export { activationNames, type ActivationName } from './layers/activations.ts';
export { cellNames, type CellName } from './layers/recurrent-cell.ts';
export { poolingNames, type Pooling } from './layers/sparse-inputs.ts';
export { BagBody, type BagBodyOptions } from './models/bag-body.ts';
export { bagModelNames, bagModelShape, type BagModelName } from './models/bag-models.ts';
export type { Body } from './models/body.ts';
export type { BagChoice, BodyChoice, RecurrentChoice } from './models/body-choice.ts';
export { NgramBody, type NgramBodyOptions } from './models/ngram-body.ts';
export { promptBatch } from './models/prompt-batch.ts';
export { RecurrentBody, type RecurrentBodyOptions, type SequenceInputs } from './models/recurrent-body.ts';
export {
  evaluateMultiLabel,
  popularityBaseline,
  type MultiLabelEvaluationOptions,
  type MultiLabelReport,
} from './metrics/evaluate-multi-label.ts';
export {
  MultiLabelCollector,
  type MultiLabelMetrics,
  type MultiLabelMetricsAtK,
  type MultiLabelOptions,
} from './metrics/multi-label-metrics.ts';
export { computePropensities, type PropensityOptions } from './metrics/propensities.ts';
export { spearmanCorrelation } from './metrics/rank-correlation.ts';
export { topClasses, type TopClassesOptions } from './metrics/top-classes.ts';
export {
  evaluateWordSimilarity,
  readWordPairs,
  type WordPair,
  type WordSimilarity,
} from './metrics/word-similarity.ts';
export { readClassVectors, readEmbeddings } from './metrics/word-vectors.ts';
export {
  createSchedule,
  scheduleNames,
  type LearningRateSchedule,
  type ScheduleName,
  type ScheduleOptions,
} from './optimizers/learning-rate-schedule.ts';
export { Optimizer, type OptimizerOptions } from './optimizers/optimizer.ts';
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
export { EarlyStopping, type EarlyStoppingOptions } from './training/early-stopping.ts';
export {
  createBagNetwork,
  createRecurrentNetwork,
  loadBagNetwork,
  loadRecurrentNetwork,
  Network,
  type BagNetwork,
  type NetworkOptions,
  type RecurrentNetwork,
} from './training/network.ts';
export { bodyKindOf, type NetworkSizes } from './training/network-state.ts';
export type {
  BatchOf,
  BatchSource,
  EvaluatedBatch,
  EvaluatedModel,
  EvaluationBatches,
  TrainableModel,
  TrainingBatch,
} from './training/trainable-model.ts';
export type { TrainingRanks } from './training/training-ranks.ts';
export { computeNeighbors, type Neighbor, type VectorKind, type WordVectorModel } from './training/neighbors.ts';
export { createOutputLayer, type OutputLayerFactory } from './output-layers/create-output-layer.ts';
export {
  outputLayerNames,
  proposalNames,
  type OutputLayerChoice,
  type OutputLayerName,
  type ProposalName,
} from './output-layers/output-layer-choice.ts';
export {
  fullLayerOptions,
  logUnigram,
  sampledLayerOptions,
  type OutputLayerSizes,
} from './output-layers/softmax-options.ts';
export { trainingDefaults, type TrainingDefaults } from './output-layers/training-defaults.ts';
export {
  evaluateRanking,
  type BandMetrics,
  RankCollector,
  type RankingReport,
  reportedTops,
  unigramBaseline,
  type EvaluationOptions,
  type RankedBatch,
  type RankingMetrics,
} from './training/ranking-metrics.ts';
export { readVocabulary } from './text/read-vocabulary.ts';
export { Trainer } from './training/trainer.ts';
export {
  TrainingDivergedError,
  type TrainingEvent,
  type TrainingProgress,
  type TrainingSnapshot,
} from './training/training-events.ts';
export type { TrainingOptions } from './training/training-options.ts';
