export {
  createHybridOutputLayer,
  type HybridOutputLayerOptions,
  chooseHeadSize,
  type HeadSizeInputs,
} from './create-hybrid-layer.ts';
export { HybridOutputLayer, type HybridParts } from './hybrid-output-layer.ts';
