// A checkpoint whose files have the names that other programs look for, as those of the Hugging Face hub do:
// `model.safetensors` (with many bytes `model-00001-of-00002.safetensors` … and their index), each text under its own
// name, and documents beside it. checkpoint.json names the same files, so that it opens as any other.
//
// Names that stay the same cannot be replaced in one step. All files are written before the first gets its name, and
// checkpoint.json gets it last: what is interrupted between is found by its checksums, and published again.

import {
  checkContent,
  DEFAULT_SHARD_BYTES,
  encodeShardIndex,
  labelTensors,
  nextCounter,
  placesOf,
  planShards,
  type CheckpointContent,
} from './checkpoint-files.ts';
import { CheckpointError, isCheckpointError, isStorageError } from './errors.ts';
import { withWriterLock } from './lock-storage.ts';
import {
  encodeManifest,
  fileRecords,
  MANIFEST_NAME,
  parseManifest,
  readManifest,
  type FileRecord,
  type Manifest,
} from './manifest.ts';
import { appendSafetensors, countAppends, planSafetensors, type WriteOptions } from './safetensors-writer.ts';
import type { Append, CheckpointStorage, StagedFile } from './storage.ts';

/** What is published: a checkpoint, and texts beside it that are no part of it, which people may change. */
export interface PublishedContent extends CheckpointContent {
  /** By file name: `README.md` for one. */
  readonly documents?: Readonly<Record<string, string>>;
}

/** As {@link WriteOptions}, and the size from which weights are cut into several files (4 GiB unless given). */
export interface PublishOptions extends WriteOptions {
  /** A file of weights gets no more tensors than have so many bytes together, and at least one; 4 GiB unless given. */
  readonly maximumShardBytes?: number;
}

/**
 * Writes a checkpoint under the names of conventions; files of other names stay, but for those of an earlier checkpoint
 * in the same place. Holds one block of 4 MiB of a tensor, and the texts.
 * @throws CheckpointError `non-finite`, `bad-argument` (also for two files of one name), `bad-json`, `write-failed`,
 * `locked`; until all files are written nothing has changed.
 */
export async function publishCheckpoint(
  storage: CheckpointStorage,
  content: PublishedContent,
  options: PublishOptions = {},
): Promise<void> {
  checkContent(content);
  options.signal?.throwIfAborted();
  try {
    await withWriterLock(storage, () => publishInTurn(storage, content, options));
  } catch (error) {
    if (!isStorageError(error)) throw error;
    throw new CheckpointError(
      'write-failed',
      `publishCheckpoint: ${storage.location} was not written: ${error.message}`,
      { cause: error.cause },
    );
  }
}

async function publishInTurn(
  storage: CheckpointStorage,
  { configuration, modules, texts = {}, documents = {} }: PublishedContent,
  { signal, onProgress, maximumShardBytes = DEFAULT_SHARD_BYTES }: PublishOptions,
): Promise<void> {
  const before = await readPrevious(storage);
  const shards = planShards(labelTensors(modules), maximumShardBytes);
  const layouts = shards.map((tensors) => planSafetensors(tensors, { producer: 'vastmax' }));
  const names = shardNames(layouts.length);
  const total = layouts.reduce((sum, { bytes }) => sum + bytes, 0);
  const counted = countAppends(total, onProgress);
  const staged = new Map<string, StagedFile>();
  const stage = async (file: string, fill: (append: Append) => Promise<void>): Promise<FileRecord> => {
    if (staged.has(file) || file === MANIFEST_NAME)
      throw new CheckpointError('bad-argument', `publishCheckpoint: there are two files ${file}; rename a text`);
    const written = await storage.stage(file, fill);
    staged.set(file, written);
    return { file, bytes: written.bytes, sha256: written.sha256 };
  };
  const stageText = (file: string, text: string): Promise<FileRecord> =>
    stage(file, (append) => append(new TextEncoder().encode(text)));
  try {
    const records: FileRecord[] = [];
    for (const [at, layout] of layouts.entries())
      records.push(await stage(names[at]!, (append) => appendSafetensors(layout, counted(append), signal)));
    const index =
      layouts.length === 1
        ? undefined
        : await stage('model.safetensors.index.json', (append) =>
            append(encodeShardIndex(shards.map(placesOf), names)),
          );
    const textRecords = [];
    for (const [name, text] of Object.entries(texts)) textRecords.push({ name, ...(await stageText(name, text)) });
    for (const [name, text] of Object.entries(documents)) await stageText(name, text);
    const manifest: Manifest = {
      counter: nextCounter(await storage.list(), before),
      shards: records,
      index,
      texts: textRecords,
      configuration,
      modules: Object.entries(modules).map(([name, module]) => ({ name, configuration: module.configuration })),
    };
    const ofManifest = await storage.stage(MANIFEST_NAME, (append) =>
      append(encodeManifest(manifest, storage.createHash())),
    );
    const files = [...staged.values(), ofManifest];
    staged.set(MANIFEST_NAME, ofManifest);
    signal?.throwIfAborted();
    for (const file of files) await file.commit();
    await storage.flush();
  } catch (error) {
    await Promise.all([...staged.values()].map((file) => file.discard().catch(() => undefined)));
    throw error;
  }
  const stale = before === undefined ? [] : fileRecords(before).filter(({ file }) => !staged.has(file));
  // What cannot be removed is in nobody's way.
  await Promise.all(stale.map(({ file }) => storage.remove(file).catch(() => undefined)));
}

function shardNames(count: number): readonly string[] {
  const five = (value: number): string => String(value).padStart(5, '0');
  if (count === 1) return ['model.safetensors'];
  return Array.from({ length: count }, (_, at) => `model-${five(at + 1)}-of-${five(count)}.safetensors`);
}

/** Undefined also where it is damaged: publishing a good one is the remedy. */
async function readPrevious(storage: CheckpointStorage): Promise<Manifest | undefined> {
  try {
    return parseManifest(await readManifest(storage), storage.createHash());
  } catch (error) {
    if (isCheckpointError(error) && error.code !== 'unsupported-version') return undefined;
    throw error;
  }
}
