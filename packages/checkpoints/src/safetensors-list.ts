// What a safetensors file holds, of any type and rank: for files of others, of which a reader may want one tensor.

import { shown } from './errors.ts';
import type { Fail } from './json.ts';
import {
  parseSafetensorsHeader,
  readHeaderText,
  readOffsets,
  type ByteRange,
  type HeaderEntry,
  type HeaderReader,
} from './safetensors-reader.ts';

/** A tensor as the header of its file describes it. */
export interface ListedTensor {
  readonly name: string;
  /** `F32`, `BF16`, `I64` … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Byte of the file at which its numbers begin, little-endian, the last dimension next to each other. */
  readonly start: number;
  readonly bytes: number;
}

/** Bytes of a number, as the format has them; those of other types are not compared with the shape. */
const bytesOfDtype: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
};

/**
 * The tensors of a file. Only its header is read, of which nothing is believed: the ranges of all tensors tile the data
 * exactly, and each has the bytes that its shape needs.
 * @throws CheckpointError `truncated`, `invalid-header`, `read-failed`
 */
export async function listSafetensors(reader: HeaderReader): Promise<readonly ListedTensor[]> {
  const { text, dataStart } = await readHeaderText(reader);
  const { tensors } = parseSafetensorsHeader(text, reader.path, reader.bytes - dataStart, readTensor);
  return tensors.map(({ name, dtype, shape, begin, end }) => ({
    name,
    dtype,
    shape,
    start: dataStart + begin,
    bytes: end - begin,
  }));
}

function readTensor(
  name: string,
  { label, dtype, shape, offsets }: HeaderEntry,
  fail: Fail,
): ByteRange & Pick<ListedTensor, 'dtype' | 'shape'> {
  if (typeof dtype !== 'string') return fail(`${label} has the dtype ${shown(dtype)}; a string is needed`);
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && Number(size) >= 0))
    return fail(`${label} has the shape ${shown(shape)}; whole numbers from 0 are needed`);
  const sizes = shape as readonly number[];
  const [begin, end] = readOffsets(label, offsets, fail);
  const width = Object.hasOwn(bytesOfDtype, dtype) ? bytesOfDtype[dtype] : undefined;
  const bytes = sizes.reduce((product, size) => product * size, width ?? 0);
  if (end < begin || (width !== undefined && end - begin !== bytes))
    return fail(
      `${label} of ${sizes.join('x') || 'one number'} ${dtype} needs ${bytes} bytes; its data_offsets [${begin}, ${end}] span ${end - begin}`,
    );
  return { name, dtype, shape: sizes, begin, end };
}
