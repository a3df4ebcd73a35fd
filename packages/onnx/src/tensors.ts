/**
 * The weights of an ONNX graph: named tensors of 32-bit floats or integers, or of 64-bit integers, whose bytes are made
 * block by block when the file is written.
 */
import type { TensorSource, TensorValues } from '@vastmax/linalg-core/state';
import { OnnxError } from './errors.ts';

/** `TensorProto.DataType` of onnx.proto. */
export const dataTypes = { float: 1, int32: 6, int64: 7 } as const;
/** The element types that graphs here have. */
export type ElementType = keyof typeof dataTypes;

/** Bytes of a number. */
const widths: Readonly<Record<ElementType, number>> = { float: 4, int32: 4, int64: 8 };
/** How much of a tensor is held at a time. */
const blockBytes = 4 * 2 ** 20;

/** A tensor to be written. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Bytes of all its numbers, little-endian, row by row. */
  readonly bytes: number;
  /** Those bytes, in pieces; a piece is valid until the next. */
  blocks(): AsyncIterable<Uint8Array>;
}

/**
 * The numbers of a source, floats as 32 bits. Reads blocks of about 4 MiB.
 * @param shape of as many numbers as the source has; rows×columns unless given.
 */
export function tensorOfSource(name: string, source: TensorSource, shape?: readonly number[]): OnnxTensor {
  const { rows, columns, precision } = source;
  const isInteger = precision === 'i32';
  return {
    name,
    type: isInteger ? 'int32' : 'float',
    shape: shape ?? [rows, columns],
    bytes: 4 * rows * columns,
    blocks: async function* () {
      const rowsPerBlock = Math.max(1, Math.floor(blockBytes / Math.max(1, 4 * columns)));
      for (let first = 0; first < rows; first += rowsPerBlock) {
        const count = Math.min(rowsPerBlock, rows - first);
        const values = (await source.read(first, count)).subarray(0, count * columns);
        yield bytesOf(isInteger ? Int32Array.from(values) : toFloats(name, values));
      }
    },
  };
}

/** Numbers that are there already. */
export function tensorOfValues(
  name: string,
  values: Float32Array | Int32Array | BigInt64Array,
  shape: readonly number[] = [values.length],
): OnnxTensor {
  const type = values instanceof Float32Array ? 'float' : values instanceof Int32Array ? 'int32' : 'int64';
  if (values instanceof Float32Array) toFloats(name, values);
  return {
    name,
    type,
    shape,
    bytes: values.length * widths[type],
    // An async iterable without anything to wait for.
    blocks: async function* () {
      yield await Promise.resolve(bytesOf(values));
    },
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** @throws OnnxError `non-finite`. */
function toFloats(name: string, values: TensorValues): Float32Array {
  const floats = values instanceof Float32Array ? values : Float32Array.from(values);
  for (let i = 0; i < floats.length; i++) {
    // x − x is 0 for finite x only.
    if (floats[i]! - floats[i]! === 0) continue;
    throw new OnnxError(
      'non-finite',
      `exportOnnx: tensor ${name} has ${values[i]}, which is no finite number of 32 bits; ONNX files are written with 32`,
    );
  }
  return floats;
}
