/** The state of a module: named tensors, read by blocks of rows, and JSON. All that this package knows of a model. */
export type {
  JsonObject,
  JsonValue,
  ModuleState,
  TensorPrecision,
  TensorSource,
  TensorValues,
} from '@vastmax/linalg-core/state';
