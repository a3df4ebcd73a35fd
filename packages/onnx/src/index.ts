export { isOnnxError, OnnxError, type OnnxErrorCode } from './errors.ts';
export { exportOnnx, type ExportedNetwork, type ExportedOnnx, type ExportOnnxOptions } from './export-onnx.ts';
export type { GraphValue } from './graph.ts';
export type { ElementType } from './tensors.ts';
export type { WriteModelOptions, WrittenModel } from './write-model.ts';
