// Writing a checkpoint so that a crash at any moment leaves the old one or the new one whole.
//
// New files get names that no checkpoint has used, beside the files of the old checkpoint; each is flushed to the disk
// before it gets its name. Then checkpoint.json, which alone says what belongs to a checkpoint, is replaced by a
// rename: the moment of commit. Only after that has reached the disk are the old files removed. A fixed name for the
// weights was rejected: between its rename and that of checkpoint.json the directory would hold neither checkpoint.

import { randomBytes } from 'node:crypto';
import { mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkContent, encodeText, labelTensors } from './checkpoint-content.ts';
import type { CheckpointContent, EncodedText } from './checkpoint-content.ts';
import { nextCounter, removeStaleFiles } from './checkpoint-files.ts';
import type { CheckpointPart } from './checkpoint-parts.ts';
import { CheckpointError, isCheckpointError, isSystemError } from './checkpoint-error.ts';
import { syncDirectory, writeTemporary } from './durable-file.ts';
import type { Append } from './durable-file.ts';
import { encodeManifest, MANIFEST_NAME, parseManifest } from './manifest.ts';
import type { FileRecord, Manifest } from './manifest.ts';
import { readManifestBytes } from './manifest-file.ts';
import { RandomAccessFile } from './random-access-file.ts';
import { planSafetensors } from './safetensors-layout.ts';
import { appendSafetensors } from './safetensors-writer.ts';
import type { WriteOptions } from './safetensors-writer.ts';
import { serializeByKey } from './serialize-by-key.ts';
import { DEFAULT_SHARD_BYTES, encodeShardIndex, nameShards, placesOf, planShards } from './weight-shards.ts';

export interface CheckpointOptions extends WriteOptions {
  /** A file of weights gets no more tensors than have so many bytes together, and at least one; 4 GiB unless given. */
  readonly maximumShardBytes?: number;
  /** Modules that other processes have written into the directory; they belong to this checkpoint beside its own. */
  readonly parts?: readonly CheckpointPart[];
}

/**
 * Writes a checkpoint into a directory, which is created and belongs to checkpoints from then on. The checkpoint that
 * was there is replaced at the end, in one step; until then, and whenever anything is thrown, it stays as it was. What
 * a tensor's `read`, a callback or the signal throws is passed on. Writes of one process into one directory take turns;
 * two processes need a directory each.
 *
 * Holds one block of 4 MiB of a tensor, and the texts. Needs disk space for the old and the new checkpoint together.
 * @throws CheckpointError `non-finite` (with module, tensor, row, column), `bad-argument`, `bad-json`, `write-failed`
 * (with the system's error as cause), `unsupported-version` when a checkpoint.json of another format would be lost
 */
export async function writeCheckpoint(
  directory: string,
  content: CheckpointContent,
  options: CheckpointOptions = {},
): Promise<void> {
  checkContent(content);
  checkModuleNames(content, options.parts ?? []);
  options.signal?.throwIfAborted();
  try {
    if ((await mkdir(directory, { recursive: true })) !== undefined) await syncDirectory(dirname(directory));
    const place = await realpath(directory);
    await serializeByKey(place, () => writeInTurn(place, content, options));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new CheckpointError(
      'write-failed',
      `writeCheckpoint: ${directory} was not written: ${error.message}; an earlier checkpoint there is untouched`,
      { cause: error },
    );
  }
}

async function writeInTurn(
  directory: string,
  content: CheckpointContent,
  { signal, onProgress, maximumShardBytes = DEFAULT_SHARD_BYTES, parts = [] }: CheckpointOptions,
): Promise<void> {
  const names = await readdir(directory);
  const before = await readPrevious(directory);
  const counter = nextCounter(names, before.manifest);
  const tensors = planShards(labelTensors(content.modules), maximumShardBytes);
  const layouts = tensors.map((each) => planSafetensors(each, { producer: 'vastmax' }));
  const others = parts.flatMap(({ shards }) => shards);
  const weightNames = nameShards(counter, randomBytes(4).toString('hex'), layouts.length, others.length);
  const indexBytes = encodeShardIndex(
    [...tensors.map(placesOf), ...others.map((shard) => shard.tensors)],
    [...weightNames.shards, ...others.map(({ file }) => file)],
  );
  const texts = Object.entries(content.texts ?? {}).map(encodeText);

  const bytesToWrite = [
    ...layouts.map(({ bytes }) => bytes),
    ...(weightNames.index === undefined ? [] : [indexBytes.length]),
    ...texts.map(({ record }) => record.bytes),
  ];
  const total = bytesToWrite.reduce((sum, bytes) => sum + bytes, 0);
  let done = 0;
  const progress = (bytes: number): void => {
    onProgress?.((done += bytes), total);
  };
  const added: string[] = [];
  let committing = false;
  let manifest: Manifest;
  try {
    const write = async (file: string, fill: (append: Append) => Promise<void>): Promise<FileRecord> => ({
      file,
      ...(await addFile(join(directory, file), added, (append) =>
        fill(async (block) => {
          await append(block);
          progress(block.length);
        }),
      )),
    });
    const shards: FileRecord[] = [];
    for (const [at, layout] of layouts.entries())
      shards.push(await write(weightNames.shards[at] ?? '', (append) => appendSafetensors(layout, append, signal)));
    const index =
      weightNames.index === undefined ? undefined : await write(weightNames.index, (append) => append(indexBytes));
    for (const text of texts) {
      signal?.throwIfAborted();
      await addText(directory, text, names, added);
      progress(text.record.bytes);
    }
    await syncDirectory(directory);
    signal?.throwIfAborted();
    for (const { file, bytes, sha256 } of others) shards.push({ file, bytes, sha256 });
    const modules = [
      ...Object.entries(content.modules).map(([name, { configuration }]) => ({ name, configuration })),
      ...parts.flatMap((part) => part.modules),
    ];
    manifest = {
      counter,
      shards,
      index,
      texts: texts.map(({ record }) => record),
      configuration: content.configuration,
      modules,
    };
    const manifestFile = await writeTemporary(join(directory, MANIFEST_NAME), (append) =>
      append(encodeManifest(manifest)),
    );
    try {
      await checkNoOtherWriter(directory, before.bytes);
      committing = true;
      await manifestFile.commit();
    } catch (error) {
      await manifestFile.discard();
      throw error;
    }
  } catch (error) {
    // A rename that reports a failure may have happened (network file systems): then nothing is removed, the next write
    // clears up.
    if (!committing) await Promise.all(added.map((path) => rm(path, { force: true }).catch(() => undefined)));
    throw error;
  }
  try {
    await syncDirectory(directory);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new CheckpointError(
      'write-failed',
      `writeCheckpoint: ${directory}: the new checkpoint is in place, but the disk did not confirm it: ${problem}; the files of the earlier one are still there`,
      { cause: error },
    );
  }
  await removeStaleFiles(directory, manifest, before.manifest);
}

function checkModuleNames({ modules }: CheckpointContent, parts: readonly CheckpointPart[]): void {
  const names = new Set(Object.keys(modules));
  for (const { name } of parts.flatMap((part) => part.modules)) {
    if (names.has(name))
      throw new CheckpointError(
        'bad-argument',
        `writeCheckpoint: module ${name} comes from two processes; each needs a name of its own`,
      );
    names.add(name);
  }
}

interface Previous {
  /** Of checkpoint.json. */
  readonly bytes?: Buffer;
  /** Absent too when it is damaged: writing a good one is the remedy. */
  readonly manifest?: Manifest;
}

async function readPrevious(directory: string): Promise<Previous> {
  const bytes = await readManifestBytes(directory).catch((error: unknown) => {
    if (isCheckpointError(error) && error.code === 'missing') return undefined;
    throw error;
  });
  if (bytes === undefined) return {};
  try {
    return { bytes, manifest: parseManifest(bytes, join(directory, MANIFEST_NAME)) };
  } catch (error) {
    if (isCheckpointError(error) && error.code === 'unsupported-version') throw error;
    return { bytes };
  }
}

/**
 * Two processes that write into one directory would remove each other's files; the later one stops here, before its
 * commit.
 */
async function checkNoOtherWriter(directory: string, before: Buffer | undefined): Promise<void> {
  const { bytes: now } = await readPrevious(directory);
  if (now === undefined ? before === undefined : before?.equals(now) === true) return;
  throw new CheckpointError(
    'write-failed',
    `writeCheckpoint: ${directory}: another process replaced ${MANIFEST_NAME} during the write; its checkpoint is untouched: give each run a directory`,
  );
}

async function addFile(
  path: string,
  added: string[],
  write: (append: Append) => Promise<void>,
): Promise<Omit<FileRecord, 'file'>> {
  const file = await writeTemporary(path, write);
  added.push(path);
  try {
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
  return { bytes: file.bytes, sha256: file.sha256 };
}

async function addText(
  directory: string,
  { record, bytes }: EncodedText,
  names: readonly string[],
  added: string[],
): Promise<void> {
  const path = join(directory, record.file);
  const isThere = names.includes(record.file);
  if (isThere && (await hasContent(path, record))) return;
  // One that is there and damaged may be named by the earlier checkpoint: it is replaced, and not counted as added.
  await addFile(path, isThere ? [] : added, (append) => append(bytes));
}

async function hasContent(path: string, { bytes, sha256 }: FileRecord): Promise<boolean> {
  try {
    const file = await RandomAccessFile.open(path);
    try {
      return file.bytes === bytes && (await file.sha256()) === sha256;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isCheckpointError(error)) return false;
    throw error;
  }
}
