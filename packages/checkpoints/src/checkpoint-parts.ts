// A checkpoint that several processes write together: each writes files of weights of its own, and one of them commits
// all by writing the rest with `writeCheckpoint(…, { parts })`. Until then nobody reads them, and what a dead job
// leaves is cleared by the next checkpoint. The names need no agreement: each has random digits, and checkpoint.json
// alone says what belongs to it. The process that commits holds the lock of the storage meanwhile (lockStorage).

import type { ModuleState } from '@vastmax/linalg-core/state';
import {
  checkContent,
  DEFAULT_SHARD_BYTES,
  labelTensors,
  nameShards,
  nextCounter,
  placesOf,
  planShards,
  type CheckpointPart,
  type WrittenShard,
} from './checkpoint-files.ts';
import { CheckpointError, isStorageError } from './errors.ts';
import { appendSafetensors, countAppends, planSafetensors, type WriteOptions } from './safetensors-writer.ts';
import type { CheckpointStorage } from './storage.ts';
import { addFile } from './write-checkpoint.ts';

/** As {@link WriteOptions}, and the size from which a part is cut into several files (4 GiB unless given). */
export interface PartOptions extends WriteOptions {
  /** As that of {@link writeCheckpoint}. */
  readonly maximumShardBytes?: number;
}

/**
 * Writes modules of a checkpoint into a storage, and flushes them; they are no checkpoint before {@link
 * writeCheckpoint} was given the part. When anything is thrown, nothing is left. Holds one block of 4 MiB of a tensor.
 * @throws CheckpointError `non-finite`, `bad-argument`, `bad-json`, `write-failed`, as writeCheckpoint.
 */
export async function writeCheckpointPart(
  storage: CheckpointStorage,
  modules: Readonly<Record<string, ModuleState>>,
  { signal, onProgress, maximumShardBytes = DEFAULT_SHARD_BYTES }: PartOptions = {},
): Promise<CheckpointPart> {
  checkContent({ configuration: {}, modules });
  signal?.throwIfAborted();
  const tensors = planShards(labelTensors(modules), maximumShardBytes);
  const layouts = tensors.map((each) => planSafetensors(each, { producer: 'vastmax' }));
  const total = layouts.reduce((sum, { bytes }) => sum + bytes, 0);
  const counted = countAppends(total, onProgress);
  const added: string[] = [];
  const shards: WrittenShard[] = [];
  try {
    await storage.prepare();
    const names = nameShards(nextCounter(await storage.list(), undefined), layouts.length);
    for (const [at, layout] of layouts.entries()) {
      const file = names.shards[at] ?? '';
      const digest = await addFile(storage, file, added, (append) =>
        appendSafetensors(layout, counted(append), signal),
      );
      shards.push({ file, ...digest, tensors: placesOf(tensors[at] ?? []) });
    }
    await storage.flush();
    return { shards, modules: Object.entries(modules).map(([name, { configuration }]) => ({ name, configuration })) };
  } catch (error) {
    await Promise.all(added.map((name) => storage.remove(name).catch(() => undefined)));
    if (!isStorageError(error)) throw error;
    throw new CheckpointError(
      'write-failed',
      `writeCheckpointPart: ${storage.location} was not written: ${error.message}; an earlier checkpoint there is untouched`,
      { cause: error.cause },
    );
  }
}

/** Removes the files of a part that no checkpoint will name. */
export async function discardCheckpointPart(storage: CheckpointStorage, { shards }: CheckpointPart): Promise<void> {
  await Promise.all(shards.map(({ file }) => storage.remove(file).catch(() => undefined)));
}
