// A checkpoint opened for reading. Everything is verified before it is handed out: sizes first, which is cheap and
// finds a file cut off, then checksums, streamed. Texts are held, tensors stay in the file and are read by ranges of
// rows.

import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import type { JsonObject, ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import { CheckpointError, isCheckpointError } from './checkpoint-error.ts';
import { fileRecords, MANIFEST_NAME, parseManifest } from './manifest.ts';
import type { FileRecord, Manifest, TextRecord } from './manifest.ts';
import { readManifestBytes } from './manifest-file.ts';
import { RandomAccessFile } from './random-access-file.ts';
import { readSafetensors } from './safetensors-reader.ts';
import type { WriteOptions } from './safetensors-writer.ts';
import { shown } from './shown-value.ts';

export interface Checkpoint {
  readonly directory: string;
  readonly configuration: JsonObject;
  /** How many checkpoints had been written into the directory with this one. */
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

/** `onProgress` hears of the bytes verified; a signal is looked at at each block. */
export type OpenOptions = WriteOptions;

/**
 * Opens and verifies the checkpoint in a directory. Reads every file once; holds its texts and one block of 4 MiB.
 * @throws CheckpointError `missing`, `truncated`, `corrupted`, `bad-json`, `unsupported-version`, `invalid-header`,
 * `read-failed`
 */
export async function openCheckpoint(directory: string, options: OpenOptions = {}): Promise<Checkpoint> {
  for (let attempt = 1; ; attempt++) {
    const manifestBytes = await readManifestBytes(directory);
    try {
      return await openFiles(directory, manifestBytes, options);
    } catch (error) {
      // A writer may have replaced the checkpoint between the reading of checkpoint.json and the opening of its files.
      if (!isCheckpointError(error) || error.code !== 'missing' || attempt === 5) throw error;
      if ((await readManifestBytes(directory)).equals(manifestBytes)) throw error;
    }
  }
}

async function openFiles(
  directory: string,
  manifestBytes: Buffer,
  { signal, onProgress }: OpenOptions,
): Promise<Checkpoint> {
  const manifest = parseManifest(manifestBytes, join(directory, MANIFEST_NAME));
  const { configuration, counter, modules, shards, texts } = manifest;
  const files: RandomAccessFile[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(files.map((file) => file.close()));
  };
  try {
    const records = fileRecords(manifest);
    for (const record of records) files.push(await openSized(directory, record));
    const total = records.reduce((sum, { bytes }) => sum + bytes, 0);
    let done = 0;
    const onBlock = (bytes: number): void => {
      signal?.throwIfAborted();
      onProgress?.((done += bytes), total);
    };
    const texted = new Map<string, string>();
    const tensors: ShardTensor[] = [];
    for (const [at, record] of records.entries()) {
      const file = files[at];
      if (file === undefined) continue;
      if (isText(record)) texted.set(record.name, await readText(file, record, onBlock));
      else await verifyChecksum(file, record, onBlock);
      if (!shards.includes(record)) await file.close();
    }
    for (const file of files.slice(0, shards.length))
      for (const tensor of (await readSafetensors(file)).tensors) tensors.push({ path: file.path, tensor });
    const states = groupByModule(manifest, tensors);
    return {
      directory,
      configuration,
      counter,
      moduleNames: modules.map(({ name }) => name),
      textNames: texts.map(({ name }) => name),
      bytes: total + manifestBytes.length,
      module: (name) => lookUp(states, name, 'module', directory),
      text: (name) => lookUp(texted, name, 'text', directory),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openSized(directory: string, { file, bytes }: FileRecord): Promise<RandomAccessFile> {
  const opened = await RandomAccessFile.open(join(directory, file));
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
  file: RandomAccessFile,
  { sha256 }: FileRecord,
  onBlock: (bytes: number) => void,
): Promise<void> {
  const found = await file.sha256(onBlock);
  if (found !== sha256)
    throw new CheckpointError(
      'corrupted',
      `checkpoint: ${file.path} is corrupted: its SHA-256 is ${found}; ${sha256} was written`,
    );
}

async function readText(file: RandomAccessFile, record: FileRecord, onBlock: (bytes: number) => void): Promise<string> {
  await verifyChecksum(file, record, onBlock);
  const fail = (problem: string, cause?: unknown): never => {
    throw new CheckpointError('corrupted', `checkpoint: ${file.path} ${problem}`, { cause });
  };
  // No string has more than 2^29 characters, of three bytes at most each.
  if (file.bytes > 3 * 2 ** 29) return fail(`has ${file.bytes} bytes, more than a string can hold`);
  const bytes = Buffer.alloc(file.bytes);
  await file.read(bytes, 0);
  if (!isUtf8(bytes)) return fail('is not UTF-8');
  try {
    return bytes.toString('utf8');
  } catch (error) {
    return fail(`has ${file.bytes} bytes, more than a string can hold`, error);
  }
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

function lookUp<T>(values: ReadonlyMap<string, T>, name: string, what: string, directory: string): T {
  const value = values.get(name);
  if (value === undefined)
    throw new CheckpointError(
      'unknown-name',
      `checkpoint: there is no ${what} ${name} in ${directory}; there are: ${[...values.keys()].join(', ') || 'none'}`,
    );
  return value;
}
