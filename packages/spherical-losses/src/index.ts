export { createFactoredOutputLayer, type FactoredOutputLayer } from './factored/factored-output-layer.ts';
export type { FactoredLayerCounters, FactoredOutputLayerOptions, UpdateForm } from './factored/layer-options.ts';
export type { Verification } from './factored/verification.ts';
export {
  defineSphericalLoss,
  type ExampleTerms,
  type ScoreTerms,
  type SphericalLoss,
  type SphericalLossDefinition,
  type TargetTerms,
} from './loss.ts';
export { builtInLossNames, createBuiltInLoss, type BuiltInLossName } from './losses/built-in-losses.ts';
export { sphericalSoftmax, type SphericalSoftmaxOptions } from './losses/spherical-softmax.ts';
export { squaredError, type SquaredErrorOptions } from './losses/squared-error.ts';
export { taylorSoftmax } from './losses/taylor-softmax.ts';
export { zLoss, type ZLossOptions } from './losses/z-loss.ts';
