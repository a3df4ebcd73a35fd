export type {
  DenseTwin,
  LayerCall,
  LayerReference,
  LayerRequest,
  LayerUnderTest,
  OutputLayerCase,
} from './suite/layer-under-test.ts';
export { describeOutputLayer, outputLayerCases } from './suite/register-suite.ts';
