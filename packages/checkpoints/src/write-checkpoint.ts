// Writing a checkpoint so that a crash at any moment leaves the old one or the new one whole.
//
// New files get names that no checkpoint has used, beside the files of the old checkpoint; each is flushed to the disk
// before it gets its name. Then checkpoint.json, which alone says what belongs to a checkpoint, is replaced by a
// rename: the moment of commit. Only after that has reached the disk are the old files removed. A fixed name for the
// weights was rejected: between its rename and that of checkpoint.json the storage would hold neither checkpoint.

import {
  checkContent,
  encodeText,
  labelTensors,
  nextCounter,
  staleFileFilter,
  DEFAULT_SHARD_BYTES,
  encodeShardIndex,
  nameShards,
  placesOf,
  planShards,
  type CheckpointContent,
  type CheckpointPart,
  type EncodedText,
} from './checkpoint-files.ts';
import { CheckpointError, isCheckpointError, isStorageError } from './errors.ts';
import { withWriterLock } from './lock-storage.ts';
import {
  encodeManifest,
  hashFile,
  isSameManifest,
  MANIFEST_NAME,
  parseManifest,
  readManifest,
  type FileRecord,
  type Manifest,
  type StoredManifest,
} from './manifest.ts';
import { appendSafetensors, planSafetensors, type WriteOptions } from './safetensors-writer.ts';
import type { Append, CheckpointStorage, FileDigest } from './storage.ts';

/**
 * As {@link WriteOptions}, the size from which weights are cut into several files (4 GiB unless given), and parts
 * that other ranks have written.
 */
export interface CheckpointOptions extends WriteOptions {
  /** A file of weights gets no more tensors than have so many bytes together, and at least one; 4 GiB unless given. */
  readonly maximumShardBytes?: number;
  /** Modules that other processes have written into the storage; they belong to this checkpoint beside its own. */
  readonly parts?: readonly CheckpointPart[];
}

/**
 * Writes a checkpoint into a storage, which is created where there is none and belongs to checkpoints from then on. The
 * checkpoint that was there is replaced at the end, in one step; until then, and whenever anything is thrown, it stays
 * as it was. What a tensor's `read`, a callback or the signal throws is passed on. Writes of one process into one
 * storage take turns; while another process writes there, or holds it with {@link lockStorage}, the call is refused.
 *
 * Holds one block of 4 MiB of a tensor, and the texts. Needs space for the old and the new checkpoint together.
 * @throws CheckpointError `non-finite` (with module, tensor, row, column), `bad-argument`, `bad-json`, `write-failed`
 * (with the system's error as cause), `unsupported-version` when a checkpoint.json of another format would be lost, `locked`
 */
export async function writeCheckpoint(
  storage: CheckpointStorage,
  content: CheckpointContent,
  options: CheckpointOptions = {},
): Promise<void> {
  checkContent(content);
  checkModuleNames(content, options.parts ?? []);
  options.signal?.throwIfAborted();
  try {
    await withWriterLock(storage, () => writeInTurn(storage, content, options));
  } catch (error) {
    if (!isStorageError(error)) throw error;
    throw new CheckpointError(
      'write-failed',
      `writeCheckpoint: ${storage.location} was not written: ${error.message}; an earlier checkpoint there is untouched`,
      { cause: error.cause },
    );
  }
}

async function writeInTurn(
  storage: CheckpointStorage,
  content: CheckpointContent,
  { signal, onProgress, maximumShardBytes = DEFAULT_SHARD_BYTES, parts = [] }: CheckpointOptions,
): Promise<void> {
  const names = await storage.list();
  const before = await readPrevious(storage);
  const counter = nextCounter(names, before.manifest);
  const tensors = planShards(labelTensors(content.modules), maximumShardBytes);
  const layouts = tensors.map((each) => planSafetensors(each, { producer: 'vastmax' }));
  const others = parts.flatMap(({ shards }) => shards);
  const weightNames = nameShards(counter, layouts.length, others.length);
  const indexBytes = encodeShardIndex(
    [...tensors.map(placesOf), ...others.map((shard) => shard.tensors)],
    [...weightNames.shards, ...others.map(({ file }) => file)],
  );
  const texts = Object.entries(content.texts ?? {}).map(([name, text]) => encodeText(name, text, storage.createHash()));

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
      ...(await addFile(storage, file, added, (append) =>
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
      await addText(storage, text, names, added);
      progress(text.record.bytes);
    }
    await storage.flush();
    signal?.throwIfAborted();
    for (const { file, bytes, sha256 } of others) {
      await checkPart(storage, file, bytes);
      shards.push({ file, bytes, sha256 });
    }
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
    const manifestFile = await storage.stage(MANIFEST_NAME, (append) =>
      append(encodeManifest(manifest, storage.createHash())),
    );
    try {
      await checkNoOtherWriter(storage, before.stored);
      committing = true;
      await manifestFile.commit();
    } catch (error) {
      await manifestFile.discard();
      throw error;
    }
  } catch (error) {
    // A rename that reports a failure may have happened (network file systems): then nothing is removed, the next write
    // clears up.
    if (!committing) await Promise.all(added.map((name) => storage.remove(name).catch(() => undefined)));
    throw error;
  }
  try {
    await storage.flush();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new CheckpointError(
      'write-failed',
      `writeCheckpoint: ${storage.location}: the new checkpoint is in place, but the disk did not confirm it: ${problem}; the files of the earlier one are still there`,
      { cause: isStorageError(error) ? error.cause : error },
    );
  }
  await removeStaleFiles(storage, manifest, before.manifest);
}

/**
 * What cannot be removed (a file that Windows holds open) is left to the next write: the new checkpoint is complete by
 * now.
 */
async function removeStaleFiles(
  storage: CheckpointStorage,
  current: Manifest,
  previous: Manifest | undefined,
): Promise<void> {
  const isStale = staleFileFilter(current, previous);
  const names = await storage.list().catch((): readonly string[] => []);
  await Promise.all(
    names
      .filter((name) => isStale(name) || storage.isAbandoned?.(name) === true)
      .map((name) => storage.remove(name).catch(() => undefined)),
  );
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
  readonly stored?: StoredManifest;
  /** Absent too when it is damaged: writing a good one is the remedy. */
  readonly manifest?: Manifest;
}

async function readPrevious(storage: CheckpointStorage): Promise<Previous> {
  const stored = await readManifest(storage).catch((error: unknown) => {
    if (isCheckpointError(error) && error.code === 'missing') return undefined;
    throw error;
  });
  if (stored === undefined) return {};
  try {
    return { stored, manifest: parseManifest(stored, storage.createHash()) };
  } catch (error) {
    if (isCheckpointError(error) && error.code === 'unsupported-version') throw error;
    return { stored };
  }
}

/** A file of another process may be gone, which would make the checkpoint one that does not open. */
async function checkPart(storage: CheckpointStorage, file: string, bytes: number): Promise<void> {
  let found = 'is not there';
  try {
    const reader = await storage.open(file);
    await reader.close();
    if (reader.bytes === bytes) return;
    found = `has ${reader.bytes} bytes; ${bytes} were written`;
  } catch (error) {
    if (!isCheckpointError(error) || error.code !== 'missing') throw error;
  }
  throw new CheckpointError(
    'write-failed',
    `writeCheckpoint: ${storage.location}/${file} of a part ${found}; lock the storage before its parts are written, and write them again`,
  );
}

/**
 * Where a storage has no lock, two processes would remove each other's files; the later one stops here, before its
 * commit.
 */
async function checkNoOtherWriter(storage: CheckpointStorage, before: StoredManifest | undefined): Promise<void> {
  const { stored: now } = await readPrevious(storage);
  if (isSameManifest(before, now)) return;
  throw new CheckpointError(
    'write-failed',
    `writeCheckpoint: ${storage.location}: another process replaced ${MANIFEST_NAME} during the write; its checkpoint is untouched: give each run a directory`,
  );
}

/** Writes a file and gives it its name, which is then one of `added`. */
export async function addFile(
  storage: CheckpointStorage,
  name: string,
  added: string[],
  fill: (append: Append) => Promise<void>,
): Promise<FileDigest> {
  const file = await storage.stage(name, fill);
  added.push(name);
  try {
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
  return { bytes: file.bytes, sha256: file.sha256 };
}

async function addText(
  storage: CheckpointStorage,
  { record, bytes }: EncodedText,
  names: readonly string[],
  added: string[],
): Promise<void> {
  const isThere = names.includes(record.file);
  if (isThere && (await hasContent(storage, record))) return;
  // One that is there and damaged may be named by the earlier checkpoint: it is replaced, and not counted as added.
  await addFile(storage, record.file, isThere ? [] : added, (append) => append(bytes));
}

async function hasContent(storage: CheckpointStorage, { file, bytes, sha256 }: FileRecord): Promise<boolean> {
  try {
    const reader = await storage.open(file);
    try {
      return reader.bytes === bytes && (await hashFile(reader, storage.createHash())) === sha256;
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (isCheckpointError(error)) return false;
    throw error;
  }
}
