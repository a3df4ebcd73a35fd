/** The codes of a table: what quantized-module.ts stores and reads back. */
import type { TensorSource, TensorValues } from '@vastmax/linalg-core/state';
import { encodeRows, trainProductCodebook } from './product-quantizer.ts';
import { zeroCode, type QuantizationMethod, type QuantizedRecord, type QuantizedTensor } from './quantized-module.ts';

/** Rows of one block. */
const rowsPerBlock = 4096;
/** Rows of the sample that centroids are found on. */
const sampleRows = 32_768;

export interface TensorQuantization {
  readonly method: QuantizationMethod;
  /** Numbers in a part of a row, for `product`. */
  readonly partWidth: number;
  readonly seed: number;
  /** Whether the last column is a bias. */
  readonly bias: boolean;
}

/**
 * The codes of a tensor, in memory. O(rows·columns), times 256 for `product`.
 * @param onRows is called with the rows done, after each block; what it throws ends the work.
 */
export async function quantizeTensor(
  source: TensorSource,
  { method, partWidth, seed, bias }: TensorQuantization,
  onRows: (rows: number) => void,
): Promise<QuantizedTensor> {
  const { name, rows, columns } = source;
  const width = columns - (bias ? 1 : 0);
  const codebook =
    method === 'product'
      ? trainProductCodebook(await unitSample(source, width), width, { partWidth, seed })
      : undefined;
  const codeColumns = codebook?.parts ?? width;
  const codes = new Uint8Array(rows * codeColumns);
  const scales = new Float32Array(rows);
  const biases = new Float32Array(bias ? rows : 0);
  for (let first = 0; first < rows; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, rows - first);
    const block = splitBlock(await source.read(first, count), count, columns, width);
    if (bias) biases.set(block.biases, first);
    const blockScales = scales.subarray(first, first + count);
    codes.set(
      codebook === undefined
        ? roundToBytes(block.values, width, blockScales)
        : encodeRows(toUnitRows(block.values, width, blockScales), width, codebook),
      first * codeColumns,
    );
    onRows(first + count);
  }
  const record: QuantizedRecord = {
    method,
    rows,
    columns,
    precision: source.precision === 'f64' ? 'f64' : 'f32',
    ...(bias ? { biases: 1 } : {}),
    ...(codebook === undefined ? {} : { partWidth }),
  };
  return {
    record,
    tensors: [
      heldTensor(`${name}.codes`, 'u8', codeColumns, codes),
      heldTensor(`${name}.scales`, 'f32', 1, scales),
      ...(codebook === undefined ? [] : [heldTensor(`${name}.centroids`, 'f32', partWidth, codebook.centroids)]),
      ...(bias ? [heldTensor(`${name}.biases`, 'f32', 1, biases)] : []),
    ],
  };
}

/** The record of a tensor of zeros. */
export function zerosRecord({ rows, columns, precision }: TensorSource): QuantizedRecord {
  return { method: 'zeros', rows, columns, precision: precision === 'f64' ? 'f64' : 'f32' };
}

/** The nearest multiples of 1/127 of each row's largest number. */
function roundToBytes(values: Float32Array, width: number, scales: Float32Array): Uint8Array {
  const codes = new Uint8Array(values.length);
  for (let row = 0; row < scales.length; row++) {
    let largest = 0;
    for (let i = row * width; i < (row + 1) * width; i++) largest = Math.max(largest, Math.abs(values[i]!));
    scales[row] = largest / 127;
    // What is stored has 24 bits: codes are multiples of that.
    const scale = scales[row]!;
    for (let i = row * width; i < (row + 1) * width; i++)
      codes[i] = zeroCode + (scale === 0 ? 0 : Math.max(-127, Math.min(127, Math.round(values[i]! / scale))));
  }
  return codes;
}

/** Divides each row by its length, which becomes its scale; a row of zeros stays. */
function toUnitRows(values: Float32Array, width: number, scales: Float32Array): Float32Array {
  for (let row = 0; row < scales.length; row++) {
    let sum = 0;
    for (let i = row * width; i < (row + 1) * width; i++) sum += values[i]! ** 2;
    const length = Math.sqrt(sum);
    scales[row] = length;
    if (length > 0) for (let i = row * width; i < (row + 1) * width; i++) values[i]! /= length;
  }
  return values;
}

/** Rows at equal distances, at most 32,768 of them, each of length 1. */
async function unitSample(source: TensorSource, width: number): Promise<Float32Array> {
  const { rows, columns } = source;
  const stride = Math.max(1, Math.ceil(rows / sampleRows));
  const sample = new Float32Array(Math.ceil(rows / stride) * width);
  for (let first = 0, taken = 0; first < rows; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, rows - first);
    const block = await source.read(first, count);
    for (let row = (stride - (first % stride)) % stride; row < count; row += stride)
      for (let column = 0; column < width; column++) sample[taken++] = block[row * columns + column]!;
  }
  return toUnitRows(sample, width, new Float32Array(sample.length / width));
}

function splitBlock(
  block: TensorValues,
  count: number,
  columns: number,
  width: number,
): { readonly values: Float32Array; readonly biases: Float32Array } {
  const values = new Float32Array(count * width);
  const biases = new Float32Array(columns === width ? 0 : count);
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < width; column++) values[row * width + column] = block[row * columns + column]!;
    if (columns > width) biases[row] = block[row * columns + width]!;
  }
  return { values, biases };
}

function heldTensor(
  name: string,
  precision: 'u8' | 'f32',
  columns: number,
  values: Uint8Array | Float32Array,
): TensorSource {
  const rows = columns === 0 ? 0 : values.length / columns;
  return {
    name,
    precision,
    rows,
    columns,
    read: (first, count) => Promise.resolve(values.slice(first * columns, (first + count) * columns)),
  };
}
