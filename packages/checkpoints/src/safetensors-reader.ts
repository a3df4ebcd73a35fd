// A safetensors file opened for reading by ranges of rows (https://huggingface.co/docs/safetensors: format).
//
// Its header is taken as hostile: nothing of a size that only the header claims is allocated before it has been
// compared with the size of the file, the JSON is scanned before it is parsed (json.ts), every number is checked before
// it is used, and the ranges have to tile the data exactly, so that no two tensors share bytes and no bytes hide
// between them.

import type { TensorPrecision, TensorSource, TensorValues } from '@vastmax/linalg-core/state';
import { CheckpointError, shown } from './errors.ts';
import { decodeUtf8, MAXIMUM_JSON_BYTES, parseJson, type Fail } from './json.ts';
import {
  bigEndianError,
  IS_LITTLE_ENDIAN,
  PREFIX_BYTES,
  storedTypes,
  valueArrays,
  widenHalf,
  type StoredType,
} from './stored-numbers.ts';
import type { CheckpointSource, RandomAccessReader } from './storage.ts';

/** An open safetensors file: tensors are read by blocks when they are asked for. */
export interface SafetensorsFile {
  readonly path: string;
  readonly bytes: number;
  /** The strings of `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * In the order of the header. Each reads from the file into the array that it is given, or one that it allocates, so
   * several reads may be under way.
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
export async function openSafetensors(source: CheckpointSource, name: string): Promise<SafetensorsFile> {
  const reader = await source.open(name);
  const close = (): Promise<void> => reader.close();
  try {
    const { path, bytes } = reader;
    return { path, bytes, ...(await readSafetensors(reader)), close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The tensors of an open file. */
export async function readSafetensors(
  reader: RandomAccessReader,
): Promise<Pick<SafetensorsFile, 'metadata' | 'tensors'>> {
  if (!IS_LITTLE_ENDIAN) throw bigEndianError();
  const { path, bytes } = reader;
  const { text, dataStart } = await readHeaderText(reader);
  const { tensors, metadata } = parseSafetensorsHeader(text, path, bytes - dataStart, readMatrix);
  return { metadata, tensors: tensors.map((range) => createTensorSource(reader, range, dataStart)) };
}

/** What of a file is needed to read its header. */
export type HeaderReader = Pick<RandomAccessReader, 'path' | 'bytes' | 'read'>;

export interface HeaderText {
  readonly text: string;
  /** Where the data begin, after the header. */
  readonly dataStart: number;
}

export async function readHeaderText(reader: HeaderReader): Promise<HeaderText> {
  const { path, bytes } = reader;
  if (bytes < PREFIX_BYTES)
    throw new CheckpointError(
      'truncated',
      `safetensors: ${path} is truncated: the length of its header needs ${PREFIX_BYTES} bytes, the file has ${bytes}`,
    );
  const prefix = new Uint8Array(PREFIX_BYTES);
  await reader.read(prefix, 0);
  const headerBytes = new DataView(prefix.buffer).getBigUint64(0, true);
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
  const header = new Uint8Array(Number(headerBytes));
  await reader.read(header, PREFIX_BYTES);
  const text = decodeUtf8(header);
  if (text === undefined) throw new CheckpointError('invalid-header', `safetensors: ${path}: its header is not UTF-8`);
  return { text, dataStart };
}

function createTensorSource(
  reader: RandomAccessReader,
  { name, storedAs, precision, rows, columns, begin }: TensorRange,
  dataStart: number,
): TensorSource {
  const { bytes } = storedTypes[storedAs];
  const Values = storedAs === 'F16' ? Uint16Array : valueArrays[precision];
  const read = async (first: number, count: number, out?: TensorValues): Promise<TensorValues> => {
    if (
      !Number.isSafeInteger(first) ||
      !Number.isSafeInteger(count) ||
      first < 0 ||
      count < 0 ||
      first + count > rows
    ) {
      throw new CheckpointError(
        'bad-argument',
        `safetensors: ${reader.path}: tensor ${name}: rows from ${first}, ${count} of them, are not in its ${rows} rows`,
      );
    }
    const values: TensorValues | Uint16Array =
      out instanceof Values && out.length === count * columns
        ? out
        : allocate<TensorValues | Uint16Array>(
            Values,
            count * columns,
            () => `${reader.path}: tensor ${shown(name)}: ${count} rows of ${columns}`,
          );
    const place = dataStart + begin + first * columns * bytes;
    await reader.read(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), place);
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

/** Where a tensor lies in the data, which begin after the header. */
export interface ByteRange {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

interface TensorRange extends ByteRange {
  readonly storedAs: StoredType;
  /** What it is read as. */
  readonly precision: TensorPrecision;
  readonly rows: number;
  readonly columns: number;
}

export interface SafetensorsHeader<Range extends ByteRange> {
  /** In the order of the header. */
  readonly tensors: readonly Range[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** The fields of a tensor's entry in the header, as they stand there. */
export interface HeaderEntry {
  readonly label: string;
  readonly dtype: unknown;
  readonly shape: unknown;
  readonly offsets: unknown;
}

/**
 * @param path for the messages
 * @param dataBytes how many bytes follow the header in the file
 * @param read what a tensor's entry says, or a failure
 * @throws CheckpointError `invalid-header`; `truncated` when the header is sound and asks for more bytes than there are
 */
export function parseSafetensorsHeader<Range extends ByteRange>(
  text: string,
  path: string,
  dataBytes: number,
  read: (name: string, entry: HeaderEntry, fail: Fail) => Range,
): SafetensorsHeader<Range> {
  const fail: Fail = (problem, cause) => {
    throw new CheckpointError('invalid-header', `safetensors: ${path}: ${problem}`, { cause });
  };
  if (!text.startsWith('{'))
    return fail(`the header begins with ${shown(text.slice(0, 1))} instead of "{"; is it a safetensors file?`);
  // A header has an object of objects of arrays, and a matrix has two sizes.
  const parsed = parseJson(text, { depth: 3, arrayLength: 8 }, (problem, cause) =>
    fail(`the header ${problem}`, cause),
  );
  const { __metadata__: metadata = {}, ...entries } = parsed as { __metadata__?: unknown };
  const tensors = Object.entries(entries).map(([name, entry]) => read(name, fieldsOf(name, entry, fail), fail));
  checkTiling(tensors, dataBytes, path);
  return { tensors, metadata: readMetadata(metadata, fail) };
}

function readMetadata(value: unknown, fail: Fail): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail('__metadata__ is not an object of strings');
  return new Map(
    Object.entries(value).map(([key, text]: [string, unknown]) => [
      key,
      typeof text === 'string' ? text : fail(`__metadata__ ${shown(key)} is not a string`),
    ]),
  );
}

function fieldsOf(name: string, entry: unknown, fail: Fail): HeaderEntry {
  const label = `tensor ${shown(name)}`;
  if (typeof entry !== 'object' || entry === null || Object.keys(entry).sort().join() !== 'data_offsets,dtype,shape') {
    return fail(`${label} is not an object of dtype, shape and data_offsets`);
  }
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  return { label, dtype, shape, offsets };
}

/** An entry of a matrix that a TensorSource can have. */
export function readMatrix(name: string, { label, dtype, shape, offsets }: HeaderEntry, fail: Fail): TensorRange {
  const storedAs = (Object.keys(storedTypes) as StoredType[]).find((each) => each === dtype);
  if (storedAs === undefined)
    return fail(`${label} has the dtype ${shown(dtype)}; ${Object.keys(storedTypes).join(', ')} are supported`);
  const [rows, columns] =
    readPair(shape) ?? fail(`${label} has the shape ${shown(shape)}; [rows, columns], whole numbers from 0, is needed`);
  const [begin, end] = readOffsets(label, offsets, fail);
  const bytes = rows * columns * storedTypes[storedAs].bytes;
  // A product past 2^53 is rounded, but never to something smaller.
  if (!Number.isSafeInteger(bytes)) return fail(`${label} of ${rows}x${columns} has more than 2^53 bytes`);
  if (end - begin !== bytes)
    return fail(
      `${label} of ${rows}x${columns} ${storedAs} needs ${bytes} bytes; its data_offsets [${begin}, ${end}] span ${end - begin}`,
    );
  return { name, storedAs, precision: storedTypes[storedAs].precision, rows, columns, begin, end };
}

export function readOffsets(label: string, offsets: unknown, fail: Fail): readonly [begin: number, end: number] {
  return (
    readPair(offsets) ??
    fail(`${label} has the data_offsets ${shown(offsets)}; [begin, end], whole numbers from 0, is needed`)
  );
}

function readPair(value: unknown): readonly [number, number] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [first, second] = value as readonly unknown[];
  const isCount = (each: unknown): each is number => Number.isSafeInteger(each) && (each as number) >= 0;
  return isCount(first) && isCount(second) ? [first, second] : undefined;
}

function checkTiling(tensors: readonly ByteRange[], dataBytes: number, path: string): void {
  let expected = 0;
  for (const { name, begin, end } of tensors.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== expected) {
      const what = begin > expected ? `there is a gap of ${begin - expected} bytes before` : `other tensors overlap`;
      throw new CheckpointError(
        'invalid-header',
        `safetensors: ${path}: ${what} tensor ${shown(name)}: it begins at ${begin}, those before it end at ${expected}`,
      );
    }
    expected = end;
  }
  if (expected > dataBytes) {
    throw new CheckpointError(
      'truncated',
      `safetensors: ${path} is truncated: its tensors need ${expected} bytes after the header, the file has ${dataBytes}`,
    );
  }
  if (expected < dataBytes) {
    throw new CheckpointError(
      'invalid-header',
      `safetensors: ${path}: ${dataBytes - expected} bytes follow the last tensor: the tensors need ${expected}, the file has ${dataBytes}`,
    );
  }
}
