export { BagBody, bagModelNames, bagModelShape, type BagBodyOptions, type BagModelName } from './bodies/bag-body.ts';
export { DenseBody, type DenseBodyOptions, type DenseInputs } from './bodies/dense-body.ts';
export {
  activationNames,
  Parameter,
  TableParameter,
  type ActivationName,
  type ModelParameters,
} from './bodies/layers.ts';
export { NgramBody, type NgramBodyOptions, type NgramInputs } from './bodies/ngram-body.ts';
export { RecurrentBody, type RecurrentBodyOptions, type SequenceInputs } from './bodies/recurrent-body.ts';
export { cellNames, type CellName } from './bodies/recurrent-cells.ts';
export { FoldInBody, type FoldInBodyOptions } from './bodies/fold-in-body.ts';
export { TransformerBody } from './bodies/transformer-body.ts';
export {
  feedForwardNames,
  normNames,
  positionNames,
  type FeedForwardName,
  type NormName,
  type PositionName,
  type TransformerBodyOptions,
} from './bodies/transformer-layers.ts';
export { poolingNames, type Pooling } from './bodies/sparse-inputs.ts';
export { isModelError, ModelError, TrainingDivergedError, type ModelErrorCode } from './model-error.ts';
export { addClasses, type AddClassesOptions } from './network/add-classes.ts';
export { createNetwork, loadNetwork, type LoadOptions } from './network/create-network.ts';
export {
  networkOptionsFrom,
  type BagChoice,
  type BagNetwork,
  type BodyChoice,
  type BodyKind,
  type DenseChoice,
  type DenseNetwork,
  type NetworkOf,
  type NetworkOptions,
  type NgramChoice,
  type NgramNetwork,
  type RecurrentChoice,
  type RecurrentNetwork,
  type FoldInChoice,
  type FoldInNetwork,
  type TransformerChoice,
  type TransformerNetwork,
} from './network/network-options.ts';
export { checkSavedShapes } from './network/saved-shapes.ts';
export {
  Network,
  type Body,
  type BodyReader,
  type EvaluatedNetwork,
  type NetworkSizes,
  type PromptOptions,
  type SavedModel,
} from './network/network.ts';
export {
  proposalNames,
  type AnyOutputChoice,
  type OutputLayerChoice,
  type OutputLayerName,
  type ProposalName,
} from './output-layers/output-layer-choice.ts';
export { chooseOutputLayer, type AutomaticLayer, type OutputLayerJob } from './output-layers/automatic-layer.ts';
export type {
  AddedClasses,
  OutputLayerEntry,
  OutputLayerFactory,
  OutputLayerSizes,
  StepSizes,
  TrainingDefaults,
} from './output-layers/output-layer-entry.ts';
export {
  createOutputLayer,
  loadOutputLayer,
  outputLayerNames,
  outputLayerOf,
  outputLayers,
  trainingDefaults,
} from './output-layers/registry.ts';
export { sampledLayerOptions } from './output-layers/sampled-layers.ts';
export { fullLayerOptions, logUnigram } from './output-layers/softmax-layers.ts';
export {
  computeNeighbors,
  type Neighbor,
  type NeighborOptions,
  type VectorKind,
  type WordVectors,
} from './prediction/neighbors.ts';
export { continueWords, type ContinueOptions } from './prediction/continue-words.ts';
export { drawNextWord, type DrawOptions } from './prediction/draw-word.ts';
export { predictNextWords, type NextWord, type NextWordsOptions } from './prediction/next-words.ts';
export { freezeOutputLayer } from './prediction/frozen-output-layer.ts';
export { topClasses, type TopClassesOptions } from './prediction/top-classes.ts';
export { EarlyStopping, type EarlyStoppingOptions } from './training/early-stopping.ts';
export {
  createSchedule,
  Optimizer,
  scheduleNames,
  type OptimizerOptions,
  type ScheduleName,
  type ScheduleOptions,
} from './training/optimizer.ts';
export { trainingOptionsFrom } from './training/saved-training.ts';
export { Trainer } from './training/trainer.ts';
export type {
  BatchSource,
  EvaluationBatches,
  TrainingBatch,
  TrainingEvent,
  TrainingOptions,
  TrainingProgress,
  TrainingRanks,
  TrainingSnapshot,
} from './training/training-types.ts';
export { createUpdateRule, updateRuleNames } from '@vastmax/update-rules';
