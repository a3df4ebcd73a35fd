/**
 * What a layer hands to a checkpoint and takes back: named tensors that are read by blocks of rows, so that a table of
 * ten gigabytes is never held twice, and a JSON object for everything that is not a tensor.
 */
export type TensorValues = Float32Array | Float64Array | Int32Array;
export type TensorPrecision = 'f32' | 'f64' | 'i32';

export interface TensorSource {
  readonly name: string;
  readonly precision: TensorPrecision;
  readonly rows: number;
  readonly columns: number;
  /** Rows `first` … `first + count - 1`, row by row. The array may be reused by the next call. */
  read(first: number, count: number): Promise<TensorValues>;
}

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

export interface ModuleState {
  /** Sizes, options, counters: everything that must agree or be restored and is not a tensor. */
  readonly configuration: JsonObject;
  readonly tensors: readonly TensorSource[];
}
