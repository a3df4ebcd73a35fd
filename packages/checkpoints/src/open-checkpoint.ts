// A checkpoint opened for reading. Everything is verified before it is handed out: sizes first, which is cheap and
// finds a file cut off, then checksums, streamed. Texts are held, tensors stay in the file and are read by ranges of
// rows.

import type { JsonObject, ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import { CheckpointError, isCheckpointError, shown } from './errors.ts';
import { decodeUtf8 } from './json.ts';
import {
  fileRecords,
  hashFile,
  isSameManifest,
  MANIFEST_NAME,
  parseManifest,
  readManifest,
  type FileRecord,
  type Manifest,
  type StoredManifest,
  type TextRecord,
} from './manifest.ts';
import { readSafetensors } from './safetensors-reader.ts';
import type { CancellationSignal, CheckpointSource, RandomAccessReader } from './storage.ts';

/** An open checkpoint: what is small is read already, tensors are read by blocks when they are asked for. */
export interface Checkpoint {
  /** What messages call the storage it is in: the path of a folder, for instance. */
  readonly location: string;
  readonly configuration: JsonObject;
  /** How many checkpoints had been written into the storage with this one. */
  readonly counter: number;
  readonly moduleNames: readonly string[];
  readonly textNames: readonly string[];
  /** Size of all its files together. */
  readonly bytes: number;
  /**
   * What the module was saved with. Its tensors read from the file until the checkpoint is closed.
   * @throws `unknown-name`
   */
  module(name: string): ModuleState;
  /** @throws CheckpointError `unknown-name` */
  text(name: string): string;
  /** Idempotent; tensors read after it throw `closed`. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How to stop opening, and to see how much is verified. */
export interface OpenOptions {
  /** Looked at before each block is verified. */
  readonly signal?: CancellationSignal;
  /** Called with the bytes verified; what it throws ends the opening. */
  readonly onProgress?: (bytes: number, total: number) => void;
}

/** Each attempt after the first means that a whole checkpoint was written meanwhile. */
const MAXIMUM_ATTEMPTS = 1000;

/**
 * Opens and verifies the checkpoint in a storage, also while others are written there. Reads every file once; holds its texts and two blocks of 2 MiB.
 * @throws CheckpointError `missing`, `truncated`, `corrupted`, `bad-json`, `unsupported-version`, `invalid-header`,
 * `read-failed`
 */
export async function openCheckpoint(source: CheckpointSource, options: OpenOptions = {}): Promise<Checkpoint> {
  for (let attempt = 1; ; attempt++) {
    const stored = await readManifest(source);
    try {
      return await openFiles(source, stored, options);
    } catch (error) {
      // A writer may have replaced the checkpoint between the reading of checkpoint.json and that of its files.
      const isGone = isCheckpointError(error) && (error.code === 'missing' || error.code === 'read-failed');
      if (!isGone || attempt === MAXIMUM_ATTEMPTS || isSameManifest(stored, await readManifest(source))) throw error;
    }
  }
}

async function openFiles(
  source: CheckpointSource,
  stored: StoredManifest,
  { signal, onProgress }: OpenOptions,
): Promise<Checkpoint> {
  const manifest = parseManifest(stored, source.createHash());
  const { configuration, counter, modules, shards, texts } = manifest;
  const files: RandomAccessReader[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(files.map((file) => file.close()));
  };
  try {
    const records = fileRecords(manifest);
    for (const record of records) files.push(await openSized(source, record));
    const total = records.reduce((sum, { bytes }) => sum + bytes, 0);
    let done = 0;
    const onBlock = (bytes: number): void => {
      signal?.throwIfAborted();
      onProgress?.((done += bytes), total);
    };
    const textsByName = new Map<string, string>();
    const tensors: ShardTensor[] = [];
    for (const [at, record] of records.entries()) {
      const file = files[at];
      if (file === undefined) continue;
      if (isText(record)) textsByName.set(record.name, await readText(source, file, record, onBlock));
      else await verifyChecksum(source, file, record, onBlock);
      if (!shards.includes(record)) await file.close();
    }
    for (const file of files.slice(0, shards.length))
      for (const tensor of (await readSafetensors(file)).tensors) tensors.push({ path: file.path, tensor });
    const states = groupByModule(manifest, tensors);
    return {
      location: source.location,
      configuration,
      counter,
      moduleNames: modules.map(({ name }) => name),
      textNames: texts.map(({ name }) => name),
      bytes: total + stored.bytes.length,
      module: (name) => lookUp(states, name, 'module', source.location),
      text: (name) => lookUp(textsByName, name, 'text', source.location),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openSized(source: CheckpointSource, { file, bytes }: FileRecord): Promise<RandomAccessReader> {
  const opened = await source.open(file);
  if (opened.bytes === bytes) return opened;
  await opened.close();
  if (opened.bytes < bytes)
    throw new CheckpointError(
      'truncated',
      `checkpoint: ${opened.path} is truncated: it has ${opened.bytes} bytes of ${bytes}`,
    );
  throw new CheckpointError(
    'corrupted',
    `checkpoint: ${opened.path} is corrupted: it has ${opened.bytes} bytes; ${bytes} were written`,
  );
}

async function verifyChecksum(
  source: CheckpointSource,
  file: RandomAccessReader,
  { sha256 }: FileRecord,
  onBlock: (bytes: number) => void,
): Promise<void> {
  const found = await hashFile(file, source.createHash(), onBlock);
  if (found !== sha256)
    throw new CheckpointError(
      'corrupted',
      `checkpoint: ${file.path} is corrupted: its SHA-256 is ${found}; ${sha256} was written`,
    );
}

async function readText(
  source: CheckpointSource,
  file: RandomAccessReader,
  record: FileRecord,
  onBlock: (bytes: number) => void,
): Promise<string> {
  await verifyChecksum(source, file, record, onBlock);
  const fail = (problem: string, cause?: unknown): never => {
    throw new CheckpointError('corrupted', `checkpoint: ${file.path} ${problem}`, { cause });
  };
  // No string has more than 2^29 characters, of three bytes at most each.
  if (file.bytes > 3 * 2 ** 29) return fail(`has ${file.bytes} bytes, more than a string can hold`);
  const bytes = new Uint8Array(file.bytes);
  await file.read(bytes, 0);
  let text: string | undefined;
  try {
    text = decodeUtf8(bytes);
  } catch (error) {
    return fail(`has ${file.bytes} bytes, more than a string can hold`, error);
  }
  return text ?? fail('is not UTF-8');
}

function isText(record: FileRecord): record is TextRecord {
  return 'name' in record;
}

interface ShardTensor {
  /** Of its file. */
  readonly path: string;
  readonly tensor: TensorSource;
}

/** Tensors are named `module/tensor` in the files. */
function groupByModule({ modules }: Manifest, tensors: readonly ShardTensor[]): Map<string, ModuleState> {
  const byModule = new Map(modules.map(({ name }): [string, TensorSource[]] => [name, []]));
  const paths = new Map<string, string>();
  for (const { path, tensor } of tensors) {
    const other = paths.get(tensor.name);
    if (other !== undefined)
      throw new CheckpointError(
        'invalid-header',
        `checkpoint: ${path}: tensor ${shown(tensor.name)} is in ${other} too; a tensor has one file`,
      );
    paths.set(tensor.name, path);
    const slash = tensor.name.indexOf('/');
    const own = slash === -1 ? undefined : byModule.get(tensor.name.slice(0, slash));
    if (own === undefined)
      throw new CheckpointError(
        'invalid-header',
        `checkpoint: ${path}: tensor ${shown(tensor.name)} is of no module; ${MANIFEST_NAME} names ${shown([...byModule.keys()])}`,
      );
    own.push({ ...tensor, name: tensor.name.slice(slash + 1) });
  }
  return new Map(
    modules.map(({ name, configuration }) => [name, { configuration, tensors: byModule.get(name) ?? [] }]),
  );
}

function lookUp<T>(values: ReadonlyMap<string, T>, name: string, what: string, location: string): T {
  const value = values.get(name);
  if (value === undefined)
    throw new CheckpointError(
      'unknown-name',
      `checkpoint: there is no ${what} ${name} in ${location}; there are: ${[...values.keys()].join(', ') || 'none'}`,
    );
  return value;
}
