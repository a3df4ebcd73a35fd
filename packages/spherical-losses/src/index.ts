export {
  builtInLossNames,
  createBuiltInLoss,
  implicitLoss,
  rg2Loss,
  rgxLoss,
  sphericalSoftmax,
  squaredError,
  taylorSoftmax,
  zLoss,
  type BuiltInLossName,
  type ImplicitLossOptions,
  type Rg2LossOptions,
  type RgxLossOptions,
  type SphericalSoftmaxOptions,
  type SquaredErrorOptions,
  type ZLossOptions,
} from './losses/built-in-losses.ts';
export { createFactoredOutputLayer, type FactoredOutputLayer } from './factored/factored-output-layer.ts';
export type { FactoredLayerCounters, FactoredOutputLayerOptions, UpdateForm } from './factored/layer-options.ts';
export type { MappedQuery, FactoredRows } from './factored/stored-rows.ts';
export type { RowDecay } from './factored/regularizers.ts';
export type { Verification } from './factored/gram-matrix.ts';
export type { PreconditionerOptions } from './factored/preconditioner.ts';
export {
  defineSphericalLoss,
  type ExampleTerms,
  type ScoreTerms,
  type SphericalLoss,
  type SphericalLossDefinition,
  type TargetTerms,
} from './losses/loss.ts';
export {
  fitRidge,
  type RidgeBatch,
  type RidgeFit,
  type RidgeFitOptions,
  type RidgeLayerOptions,
} from './ridge/ridge-fit.ts';
export type { CrossValidation } from './ridge/cross-validation.ts';
export {
  fitAlternating,
  type AlternatingFit,
  type AlternatingLayerOptions,
  type AlternatingOptions,
  type AlternatingProgress,
} from './alternating/alternating-fit.ts';
export { FoldIn, type AlternatingPenalties, type FoldInOptions } from './alternating/fold-in.ts';
export { withUnobservedWeights } from './losses/unobserved-weights.ts';
