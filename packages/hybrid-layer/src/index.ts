export { createHybridOutputLayer, type HybridOutputLayerOptions } from './create-hybrid-layer.ts';
export { chooseHeadSize, type HeadSizeInputs } from './create-hybrid-layer.ts';
export { HybridOutputLayer, type HybridParts } from './hybrid-output-layer.ts';
