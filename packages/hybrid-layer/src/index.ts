export { createHybridOutputLayer, type HybridOutputLayerOptions } from './create-hybrid-layer.ts';
export type { TailOptions } from './create-tails.ts';
export { chooseHeadSize, chooseHybridSizes, type HeadSizeInputs, type HybridSizeInputs } from './head-size.ts';
export { HybridOutputLayer, type HybridParts, type HybridRanks } from './hybrid-output-layer.ts';
export type { HybridTail } from './hybrid-tail.ts';
