/**
 * A table of numbers stored as codes of one byte, and read back as numbers. In a module of a checkpoint a quantised
 * tensor `t` is several tensors, and its record in the module's configuration says which:
 *
 * | tensor | shape | what |
 * |---|---|---|
 * | `t.codes` | rows×columns, rows×parts | the codes: of numbers (`8-bit`) or of parts of a row (`product`) |
 * | `t.scales` | rows×1 | `8-bit`: what a code of 1 stands for; `product`: the row's length |
 * | `t.centroids` | (parts·256)×partWidth | `product`: what the codes of each part stand for, in rows of length 1 |
 * | `t.biases` | rows×1 | the last column where that is a bias, which is not quantised |
 */
import {
  findTensor,
  StateError,
  type ModuleState,
  type TensorSource,
  type TensorValues,
} from '@vastmax/linalg-core/state';
import type { SavedModel } from '../network/network.ts';
import { checkFields, isObject, number, optional, text, type FieldType } from '../saved-fields.ts';
import { centroidsPerPart, decodeRows, type ProductCodebook } from './product-quantizer.ts';

/** The names of the methods: 8 bits a number, or product quantisation. */
export const quantizationMethods = ['8-bit', 'product'] as const;
/** How a table is compressed. */
export type QuantizationMethod = (typeof quantizationMethods)[number];

/** How a tensor is stored. `zeros`: not at all; moments of an update rule, which only training needs. */
export interface QuantizedRecord {
  readonly method: QuantizationMethod | 'zeros';
  readonly rows: number;
  readonly columns: number;
  readonly precision: 'f32' | 'f64';
  /** Whether the last column is stored apart. */
  readonly biases?: 1;
  /** Of `product`. */
  readonly partWidth?: number;
}

const recordFields: Readonly<Record<keyof QuantizedRecord, FieldType>> = {
  method: text,
  rows: number,
  columns: number,
  precision: text,
  biases: optional(number),
  partWidth: optional(number),
};

/** Where a module's configuration has its records, by the names of the tensors. */
const recordsKey = 'quantized';

/** The code of 0: codes are −127 … 127 and this. */
export const zeroCode = 128;

export interface QuantizedTensor {
  readonly record: QuantizedRecord;
  readonly tensors: readonly TensorSource[];
}

/** A module with some tensors quantised. */
export function quantizedModule(
  { configuration, tensors }: ModuleState,
  quantized: ReadonlyMap<string, QuantizedTensor>,
): ModuleState {
  const records = Object.fromEntries([...quantized].map(([name, { record }]) => [name, { ...record }]));
  return {
    configuration: { ...configuration, [recordsKey]: records },
    tensors: tensors.flatMap((tensor) => quantized.get(tensor.name)?.tensors ?? [tensor]),
  };
}

/** A saved model whose modules are read as {@link dequantizedModule} reads them. */
export function dequantizedModel(saved: Pick<SavedModel, 'module'>): Pick<SavedModel, 'module'> {
  return { module: (name) => dequantizedModule(saved.module(name)) };
}

/**
 * A module as it was before it was quantised, but for the rounding; codes are read by blocks of rows. A module that is
 * not quantised is returned as it is.
 * @throws StateError or ModelError `state-mismatch` for records and tensors that do not fit together.
 */
function dequantizedModule(state: ModuleState): ModuleState {
  const { [recordsKey]: records, ...configuration } = state.configuration;
  if (records === undefined) return state;
  if (!isObject(records))
    throw new StateError('state-mismatch', `'${recordsKey}' in the state is no object of records`);
  const decoded = Object.entries(records).map(([name, record]) => dequantizedTensor(state, name, record));
  const codes = new Set(Object.keys(records).flatMap((name) => partsOf(name)));
  return { configuration, tensors: [...state.tensors.filter(({ name }) => !codes.has(name)), ...decoded] };
}

function partsOf(name: string): string[] {
  return ['codes', 'scales', 'centroids', 'biases'].map((part) => `${name}.${part}`);
}

function dequantizedTensor(state: ModuleState, name: string, given: unknown): TensorSource {
  const record = checkRecord(name, given);
  const { method, rows, columns, precision, biases, partWidth = 1 } = record;
  const Values = precision === 'f64' ? Float64Array : Float32Array;
  if (method === 'zeros')
    return { name, precision, rows, columns, read: (_, count) => Promise.resolve(new Values(count * columns)) };
  const width = columns - (biases ?? 0);
  const parts = method === 'product' ? Math.ceil(width / partWidth) : width;
  const codes = findTensor(state, `${name}.codes`, rows, parts);
  const scales = findTensor(state, `${name}.scales`, rows, 1);
  const last = biases === undefined ? undefined : findTensor(state, `${name}.biases`, rows, 1);
  const centroids =
    method === 'product' ? findTensor(state, `${name}.centroids`, parts * centroidsPerPart, partWidth) : undefined;
  let codebook: ProductCodebook | undefined;
  const read = async (first: number, count: number): Promise<TensorValues> => {
    const blockCodes = await codes.read(first, count);
    if (!(blockCodes instanceof Uint8Array))
      throw new StateError(
        'state-mismatch',
        `tensor '${name}.codes' is of ${codes.precision} in the state, expected u8`,
      );
    const blockScales = await scales.read(first, count);
    const values = new Float32Array(count * width);
    if (centroids === undefined) for (let i = 0; i < values.length; i++) values[i] = blockCodes[i]! - zeroCode;
    else {
      codebook ??= { partWidth, parts, centroids: Float32Array.from(await centroids.read(0, centroids.rows)) };
      decodeRows(blockCodes, codebook, values);
    }
    const blockBiases = await last?.read(first, count);
    const out = new Values(count * columns);
    for (let row = 0; row < count; row++) {
      const scale = blockScales[row]!;
      for (let column = 0; column < width; column++)
        out[row * columns + column] = scale * values[row * width + column]!;
      if (blockBiases !== undefined) out[row * columns + width] = blockBiases[row]!;
    }
    return out;
  };
  return { name, precision, rows, columns, read };
}

function checkRecord(name: string, given: unknown): QuantizedRecord {
  const what = `${recordsKey}.${name}`;
  if (!isObject(given)) throw new StateError('state-mismatch', `'${what}' in the state is no record of a tensor`);
  checkFields(what, given, recordFields);
  const record = given as unknown as QuantizedRecord;
  const { method, rows, columns, precision, biases, partWidth } = record;
  const isSize = (size: number): boolean => Number.isSafeInteger(size) && size > 0;
  const isFine =
    (method === 'zeros' || quantizationMethods.includes(method)) &&
    ['f32', 'f64'].includes(precision) &&
    isSize(rows) &&
    isSize(columns) &&
    (biases === undefined || (biases === 1 && columns > 1)) &&
    (method === 'product') === (partWidth !== undefined) &&
    (partWidth === undefined || (isSize(partWidth) && partWidth <= columns));
  if (isFine) return record;
  throw new StateError(
    'state-mismatch',
    `'${what}' in the state is ${JSON.stringify(record).slice(0, 200)}; a method of ${quantizationMethods.join(', ')} or zeros with its sizes is needed`,
  );
}
