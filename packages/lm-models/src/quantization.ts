// Entry point @vastmax/lm-models/quantization: trained networks in fewer bytes. Runs anywhere.
export {
  quantizeNetwork,
  type QuantizationOptions,
  type QuantizedNetwork,
  type QuantizedTable,
} from './quantization/quantize-network.ts';
export { quantizationMethods, type QuantizationMethod } from './quantization/quantized-module.ts';
