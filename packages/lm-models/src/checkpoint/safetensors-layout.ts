// The head of a safetensors file: eight bytes with the length of a JSON header, little-endian, then the header, which
// gives each tensor a dtype, a shape and a range of the bytes after it. (https://huggingface.co/docs/safetensors:
// format.)
//
// The header is padded with spaces to a multiple of eight bytes and tensors of eight-byte numbers come first, so that
// every tensor lies aligned. The JSON lists tensors in the order they were given. It is put together by hand: keys of
// an object that look like integers would change places, and a key `__proto__` would vanish.

import type { TensorPrecision, TensorSource, TensorValues } from '@vastmax/linalg-core/state';
import { CheckpointError } from './checkpoint-error.ts';
import { MAXIMUM_JSON_BYTES } from './json-limits.ts';

/** Bytes that precede the header. */
export const PREFIX_BYTES = 8;
/** How much of a tensor or file is held at a time. */
export const BLOCK_BYTES: number = 4 * 2 ** 20;

/** The dtypes that matrices are written and read with. */
export type StoredType = 'F32' | 'F64' | 'I32' | 'F16';

/** What they are read as: half precision is widened, exactly. */
export const storedTypes: Readonly<
  Record<StoredType, { readonly bytes: number; readonly precision: TensorPrecision }>
> = {
  F32: { bytes: 4, precision: 'f32' },
  F64: { bytes: 8, precision: 'f64' },
  I32: { bytes: 4, precision: 'i32' },
  F16: { bytes: 2, precision: 'f32' },
};

export const valueArrays: Readonly<Record<TensorPrecision, new (length: number) => TensorValues>> = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
};

const typesOfPrecisions: Readonly<Record<TensorPrecision, StoredType>> = { f32: 'F32', f64: 'F64', i32: 'I32' };

/** One tensor to write. `label` is how errors name it. */
export interface LabelledTensor {
  readonly name: string;
  readonly label: string;
  readonly source: TensorSource;
  /** Whether numbers other than integers are stored with 16 bits. */
  readonly half?: boolean;
}

export function storedTypeOf({ source: { precision }, half = false }: LabelledTensor): StoredType {
  return half && precision !== 'i32' ? 'F16' : typesOfPrecisions[precision];
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
    throw new CheckpointError('bad-argument', `${label}: precision is ${String(precision)}; f32, f64 or i32 is needed`);
  if (!Number.isSafeInteger(rows) || !Number.isSafeInteger(columns) || rows < 0 || columns < 0) {
    throw new CheckpointError(
      'bad-argument',
      `${label}: its shape is ${rows}x${columns}; rows and columns are whole numbers from 0`,
    );
  }
}

function encodeHead(header: string): Uint8Array {
  const bytes = Buffer.byteLength(header);
  const padded = Math.ceil(bytes / 8) * 8;
  if (padded > MAXIMUM_JSON_BYTES) {
    throw new CheckpointError(
      'bad-argument',
      `safetensors: the header has ${padded} bytes; at most ${MAXIMUM_JSON_BYTES} are allowed: write fewer or larger tensors`,
    );
  }
  const head = Buffer.alloc(PREFIX_BYTES + padded, ' ');
  head.writeBigUInt64LE(BigInt(padded));
  head.write(header, PREFIX_BYTES);
  return head;
}
