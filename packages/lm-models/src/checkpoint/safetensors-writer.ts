import type { TensorSource, TensorValues } from '@vastmax/linalg-core/state';
import type { CancellationSignal } from '@vastmax/sparse-data';
import { CheckpointError, isSystemError } from './checkpoint-error.ts';
import { writeDurably } from './durable-file.ts';
import type { Append, FileDigest } from './durable-file.ts';
import { HALF_INFINITY, narrowToHalf } from './half-precision.ts';
import { BLOCK_BYTES, planSafetensors, storedTypeOf, valueArrays } from './safetensors-layout.ts';
import type { LabelledTensor, SafetensorsLayout } from './safetensors-layout.ts';
import { requireLittleEndian } from './safetensors-reader.ts';

export interface WriteOptions {
  /**
   * Looked at before each block of a tensor and before the file gets its name; writing then ends with the signal's
   * reason.
   */
  readonly signal?: CancellationSignal;
  /** Called after each block; what it throws ends the writing. */
  readonly onProgress?: (bytes: number, total: number) => void;
}

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
  path: string,
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
  try {
    let done = 0;
    return await writeDurably(path, (append) =>
      appendSafetensors(
        layout,
        async (block) => {
          await append(block);
          options.onProgress?.((done += block.length), layout.bytes);
        },
        options.signal,
      ),
    );
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new CheckpointError('write-failed', `writeSafetensors: ${path} was not written: ${error.message}`, {
      cause: error,
    });
  }
}

/** Head and tensors of a planned file. Reads at most one block at a time; one row where a row is larger. */
export async function appendSafetensors(
  layout: SafetensorsLayout,
  append: Append,
  signal: CancellationSignal | undefined,
): Promise<void> {
  requireLittleEndian();
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
  const at = precision === 'i32' ? -1 : findNonFinite(values);
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
