// A safetensors file opened for reading by ranges of rows. The header is taken as hostile; nothing of a size that only
// the header claims is allocated before it has been compared with the size of the file.
//
// Numbers in the file are little-endian and are read into typed arrays as they are, which is right on every machine
// that has builds of this project's backends (x64, arm64, WebAssembly); a big-endian one (s390x) is refused rather than
// given wrong numbers.

import { isUtf8 } from 'node:buffer';
import { endianness } from 'node:os';
import type { TensorSource, TensorValues } from '@vastmax/linalg-core/state';
import { CheckpointError } from './checkpoint-error.ts';
import { widenHalf } from './half-precision.ts';
import { MAXIMUM_JSON_BYTES } from './json-limits.ts';
import { parseSafetensorsHeader } from './parse-safetensors-header.ts';
import type { TensorRange } from './parse-safetensors-header.ts';
import { RandomAccessFile } from './random-access-file.ts';
import { PREFIX_BYTES, storedTypes, valueArrays } from './safetensors-layout.ts';
import { shown } from './shown-value.ts';

export interface SafetensorsFile {
  readonly path: string;
  readonly bytes: number;
  /** The strings of `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * In the order of the header. Each reads from the file and allocates what it returns, so several reads may be under
   * way.
   */
  readonly tensors: readonly TensorSource[];
  /** Idempotent; later reads throw `closed`. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a safetensors file of matrices with dtype F32, F64, I32 or F16, which is read as f32. Reads the header only.
 * @throws CheckpointError `missing`, `read-failed`, `truncated`, `invalid-header`
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await RandomAccessFile.open(path);
  const close = (): Promise<void> => file.close();
  try {
    return { path, bytes: file.bytes, ...(await readSafetensors(file)), close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The tensors of an open file. */
export async function readSafetensors(file: RandomAccessFile): Promise<Pick<SafetensorsFile, 'metadata' | 'tensors'>> {
  requireLittleEndian();
  const { path, bytes } = file;
  if (bytes < PREFIX_BYTES)
    throw new CheckpointError(
      'truncated',
      `safetensors: ${path} is truncated: the length of its header needs ${PREFIX_BYTES} bytes, the file has ${bytes}`,
    );
  const prefix = Buffer.alloc(PREFIX_BYTES);
  await file.read(prefix, 0);
  const headerBytes = prefix.readBigUInt64LE();
  if (headerBytes > BigInt(MAXIMUM_JSON_BYTES)) {
    throw new CheckpointError(
      'invalid-header',
      `safetensors: ${path}: its header claims ${headerBytes} bytes; at most ${MAXIMUM_JSON_BYTES} are allowed`,
    );
  }
  const dataStart = PREFIX_BYTES + Number(headerBytes);
  if (dataStart > bytes)
    throw new CheckpointError(
      'truncated',
      `safetensors: ${path} is truncated: its header ends at byte ${dataStart}, the file has ${bytes}`,
    );
  const header = Buffer.alloc(Number(headerBytes));
  await file.read(header, PREFIX_BYTES);
  if (!isUtf8(header)) throw new CheckpointError('invalid-header', `safetensors: ${path}: its header is not UTF-8`);
  const { tensors, metadata } = parseSafetensorsHeader(header.toString('utf8'), path, bytes - dataStart);
  return { metadata, tensors: tensors.map((range) => createTensorSource(file, range, dataStart)) };
}

function createTensorSource(
  file: RandomAccessFile,
  { name, storedAs, precision, rows, columns, begin }: TensorRange,
  dataStart: number,
): TensorSource {
  const { bytes } = storedTypes[storedAs];
  const read = async (first: number, count: number): Promise<TensorValues> => {
    if (
      !Number.isSafeInteger(first) ||
      !Number.isSafeInteger(count) ||
      first < 0 ||
      count < 0 ||
      first + count > rows
    ) {
      throw new CheckpointError(
        'bad-argument',
        `safetensors: ${file.path}: tensor ${name}: rows from ${first}, ${count} of them, are not in its ${rows} rows`,
      );
    }
    const values = allocate<TensorValues | Uint16Array>(
      storedAs === 'F16' ? Uint16Array : valueArrays[precision],
      count * columns,
      () => `${file.path}: tensor ${shown(name)}: ${count} rows of ${columns}`,
    );
    await file.read(new Uint8Array(values.buffer), dataStart + begin + first * columns * bytes);
    return values instanceof Uint16Array ? widenHalf(values) : values;
  };
  return { name, precision, rows, columns, read };
}

function allocate<T>(Values: new (length: number) => T, length: number, label: () => string): T {
  try {
    return new Values(length);
  } catch (error) {
    throw new CheckpointError(
      'bad-argument',
      `safetensors: ${label()} are ${length} numbers, more than can be held; read fewer at a time`,
      { cause: error },
    );
  }
}

export function requireLittleEndian(): void {
  if (endianness() !== 'LE')
    throw new CheckpointError(
      'bad-argument',
      `safetensors: this machine is big-endian (${endianness()}); only little-endian ones are supported`,
    );
}
