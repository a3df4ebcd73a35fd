// A safetensors file, written block by block. It begins with eight bytes, little-endian, of the length of a JSON
// header; the header gives each tensor a dtype, a shape and a range of the bytes that follow.
// (https://huggingface.co/docs/safetensors: format.)
//
// The header is padded with spaces to a multiple of eight bytes and tensors of eight-byte numbers come first, so that
// every tensor lies aligned. The JSON lists tensors in the order they were given. It is put together by hand: keys of
// an object that look like integers would change places, and a key `__proto__` would vanish.

import type { TensorPrecision, TensorSource, TensorValues } from '@vastmax/linalg-core/state';
import { CheckpointError } from './errors.ts';
import { MAXIMUM_JSON_BYTES } from './json.ts';
import {
  bigEndianError,
  HALF_INFINITY,
  IS_LITTLE_ENDIAN,
  narrowToHalf,
  PREFIX_BYTES,
  storedTypes,
  valueArrays,
  type StoredType,
} from './stored-numbers.ts';
import {
  BLOCK_BYTES,
  storeFile,
  type Append,
  type CancellationSignal,
  type CheckpointStorage,
  type FileDigest,
} from './storage.ts';

/** How to stop writing, and to see how much is written. */
export interface WriteOptions {
  /**
   * Looked at before each block of a tensor and before the file gets its name; writing then ends with the signal's
   * reason.
   */
  readonly signal?: CancellationSignal;
  /** Called after each block; what it throws ends the writing. */
  readonly onProgress?: (bytes: number, total: number) => void;
}

/** `metadata` goes into the header; `half` stores f32 tensors as 16-bit numbers. */
export interface SafetensorsOptions extends WriteOptions {
  /** Strings for `__metadata__`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /**
   * Store all numbers but integers with 16 bits (dtype F16): a third of the digits, from 6e-8 to 65,504; larger ones
   * are refused.
   */
  readonly half?: boolean;
}

/**
 * Writes one safetensors file, streaming each tensor by blocks of rows of about 4 MiB. A file of that name is replaced
 * at the end in one step, and stays as it was when anything is thrown: what a tensor's `read` or a callback throws is
 * passed on.
 * @throws CheckpointError `non-finite` (with tensor, row and column, also for what `half` cannot hold), `bad-argument`,
 * `write-failed` (with the system's error as cause)
 */
export async function writeSafetensors(
  storage: CheckpointStorage,
  name: string,
  tensors: readonly TensorSource[],
  options: SafetensorsOptions = {},
): Promise<FileDigest> {
  const { half = false } = options;
  const labelled = tensors.map((source) => ({
    name: source.name,
    label: `writeSafetensors: tensor ${source.name}`,
    source,
    half,
  }));
  const layout = planSafetensors(labelled, options.metadata ?? {});
  const counted = countAppends(layout.bytes, options.onProgress);
  const fill = (append: Append): Promise<void> => appendSafetensors(layout, counted(append), options.signal);
  return storeFile(storage, name, fill, 'writeSafetensors');
}

/** Of any number of files: each `append` that it is given also tells how many of `total` bytes there are by then. */
export function countAppends(total: number, onProgress: WriteOptions['onProgress']): (append: Append) => Append {
  let done = 0;
  return (append) => async (block) => {
    await append(block);
    onProgress?.((done += block.length), total);
  };
}

const typesOfPrecisions: Readonly<Record<TensorPrecision, StoredType>> = {
  f32: 'F32',
  f64: 'F64',
  i32: 'I32',
  u8: 'U8',
};

const isWhole = (precision: TensorPrecision): boolean => precision === 'i32' || precision === 'u8';

/** One tensor to write. `label` is how errors name it. */
export interface LabelledTensor {
  readonly name: string;
  readonly label: string;
  readonly source: TensorSource;
  /** Whether numbers other than integers are stored with 16 bits. */
  readonly half?: boolean;
}

function storedTypeOf({ source: { precision }, half = false }: LabelledTensor): StoredType {
  return half && !isWhole(precision) ? 'F16' : typesOfPrecisions[precision];
}

/** Bytes of its values. */
export function storedBytes(tensor: LabelledTensor): number {
  return tensor.source.rows * tensor.source.columns * storedTypes[storedTypeOf(tensor)].bytes;
}

export interface SafetensorsLayout {
  /** The prefix and the padded header. */
  readonly head: Uint8Array;
  /** In the order of their bytes in the file. */
  readonly tensors: readonly LabelledTensor[];
  /** Size of the whole file. */
  readonly bytes: number;
}

/**
 * Where each tensor goes.
 * @throws CheckpointError `bad-argument` for a name used twice or reserved, and for sizes that are not whole numbers
 * from 0.
 */
export function planSafetensors(
  tensors: readonly LabelledTensor[],
  metadata: Readonly<Record<string, string>>,
): SafetensorsLayout {
  checkTensors(tensors);
  const width = (tensor: LabelledTensor): number => storedTypes[storedTypeOf(tensor)].bytes;
  const ordered = tensors.toSorted((a, b) => width(b) - width(a));
  let end = 0;
  const entries = new Map(
    ordered.map((tensor) => {
      const { rows, columns } = tensor.source;
      const begin = end;
      end += storedBytes(tensor);
      const entry = { dtype: storedTypeOf(tensor), shape: [rows, columns], data_offsets: [begin, end] };
      return [tensor.name, JSON.stringify(entry)] as const;
    }),
  );
  if (!Number.isSafeInteger(end))
    throw new CheckpointError(
      'bad-argument',
      `safetensors: the tensors have ${end} bytes together; at most 2^53 can be addressed`,
    );
  const members = tensors.map(({ name }) => `${JSON.stringify(name)}:${entries.get(name) ?? ''}`);
  const header = `{${[`"__metadata__":${JSON.stringify(metadata)}`, ...members].join(',')}}`;
  const head = encodeHead(header);
  return { head, tensors: ordered, bytes: head.length + end };
}

/** @throws CheckpointError `bad-argument` as {@link planSafetensors}. */
export function checkTensors(tensors: readonly LabelledTensor[]): void {
  const names = new Set<string>();
  for (const tensor of tensors) {
    checkTensor(tensor);
    if (names.has(tensor.name))
      throw new CheckpointError('bad-argument', `${tensor.label}: there are two tensors of this name; rename one`);
    names.add(tensor.name);
  }
}

function checkTensor({ name, label, source: { rows, columns, precision } }: LabelledTensor): void {
  if (name === '__metadata__' || name === '__proto__')
    throw new CheckpointError('bad-argument', `${label}: the name ${name} is reserved; rename the tensor`);
  if (!Object.hasOwn(valueArrays, precision))
    throw new CheckpointError(
      'bad-argument',
      `${label}: precision is ${String(precision)}; f32, f64, i32 or u8 is needed`,
    );
  if (!Number.isSafeInteger(rows) || !Number.isSafeInteger(columns) || rows < 0 || columns < 0) {
    throw new CheckpointError(
      'bad-argument',
      `${label}: its shape is ${rows}x${columns}; rows and columns are whole numbers from 0`,
    );
  }
}

function encodeHead(header: string): Uint8Array {
  const bytes = new TextEncoder().encode(header);
  const padded = Math.ceil(bytes.length / 8) * 8;
  if (padded > MAXIMUM_JSON_BYTES) {
    throw new CheckpointError(
      'bad-argument',
      `safetensors: the header has ${padded} bytes; at most ${MAXIMUM_JSON_BYTES} are allowed: write fewer or larger tensors`,
    );
  }
  const head = new Uint8Array(PREFIX_BYTES + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(bytes, PREFIX_BYTES);
  return head;
}

/** Head and tensors of a planned file. Reads at most one block at a time; one row where a row is larger. */
export async function appendSafetensors(
  layout: SafetensorsLayout,
  append: Append,
  signal: CancellationSignal | undefined,
): Promise<void> {
  if (!IS_LITTLE_ENDIAN) throw bigEndianError();
  signal?.throwIfAborted();
  await append(layout.head);
  for (const tensor of layout.tensors) {
    const { rows, columns, precision } = tensor.source;
    if (columns === 0) continue;
    const rowsPerBlock = Math.max(1, Math.floor(BLOCK_BYTES / (columns * (precision === 'f64' ? 8 : 4))));
    for (let first = 0; first < rows; first += rowsPerBlock) {
      const count = Math.min(rowsPerBlock, rows - first);
      const values = await tensor.source.read(first, count);
      checkBlock(tensor, values, first, count);
      signal?.throwIfAborted();
      const stored = storedTypeOf(tensor) === 'F16' ? narrowToHalf(values) : values;
      if (stored instanceof Uint16Array) checkHalf(tensor, values, stored, first);
      await append(new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength));
    }
  }
  signal?.throwIfAborted();
}

function checkBlock({ source, label }: LabelledTensor, values: TensorValues, first: number, count: number): void {
  const { columns, precision } = source;
  const Values = valueArrays[precision];
  if (!(values instanceof Values) || values.length !== count * columns) {
    throw new CheckpointError(
      'bad-argument',
      `${label}: reading ${count} rows of ${columns} from row ${first} gave ${values.length} values in a ${values.constructor.name}; ${count * columns} in a ${Values.name} are needed`,
    );
  }
  const at = isWhole(precision) ? -1 : findNonFinite(values);
  if (at === -1) return;
  throw new CheckpointError(
    'non-finite',
    `${label}: the value at row ${first + Math.floor(at / columns)}, column ${at % columns} is ${values[at]}; only finite values are saved, and what was saved before is untouched`,
  );
}

function checkHalf(
  { source: { columns }, label }: LabelledTensor,
  values: TensorValues,
  stored: Uint16Array,
  first: number,
): void {
  const at = stored.findIndex((bits) => (bits & 0x7fff) === HALF_INFINITY);
  if (at === -1) return;
  throw new CheckpointError(
    'non-finite',
    `${label}: the value at row ${first + Math.floor(at / columns)}, column ${at % columns} is ${values[at]}; 16 bits hold at most 65504: store it with 32`,
  );
}

/** x - x is 0 for finite x only. */
function findNonFinite(values: TensorValues): number {
  for (let i = 0; i < values.length; i++) if (values[i]! - values[i]! !== 0) return i;
  return -1;
}
