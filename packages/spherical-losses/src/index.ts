export {
  builtInLossNames,
  createBuiltInLoss,
  sphericalSoftmax,
  squaredError,
  taylorSoftmax,
  zLoss,
  type BuiltInLossName,
  type SphericalSoftmaxOptions,
  type SquaredErrorOptions,
  type ZLossOptions,
} from './losses/built-in-losses.ts';
export { createFactoredOutputLayer, type FactoredOutputLayer } from './factored/factored-output-layer.ts';
export type { FactoredLayerCounters, FactoredOutputLayerOptions, UpdateForm } from './factored/layer-options.ts';
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
