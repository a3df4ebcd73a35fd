// A checkpoint that several processes write together: each writes files of weights of its own, and one of them commits
// all by writing the rest with `writeCheckpoint(…, { parts })`. Until then nobody reads them, and what a dead job
// leaves is cleared by the next checkpoint. The names need no agreement: each has random digits, and checkpoint.json
// alone says what belongs to it.

import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';
import { checkContent, labelTensors } from './checkpoint-content.ts';
import { CheckpointError, isSystemError } from './checkpoint-error.ts';
import { nextCounter } from './checkpoint-files.ts';
import { writeDurably } from './durable-file.ts';
import type { FileRecord } from './manifest.ts';
import { planSafetensors } from './safetensors-layout.ts';
import { appendSafetensors, type WriteOptions } from './safetensors-writer.ts';
import { DEFAULT_SHARD_BYTES, nameShards, planShards, placesOf, type TensorPlace } from './weight-shards.ts';

/** What one process wrote of a checkpoint: plain JSON, for the process that commits it. */
export interface CheckpointPart {
  readonly shards: readonly WrittenShard[];
  readonly modules: readonly { readonly name: string; readonly configuration: JsonObject }[];
}

export interface WrittenShard extends FileRecord {
  readonly tensors: readonly TensorPlace[];
}

/**
 * Writes modules of a checkpoint into a directory, flushed to the disk; they are no checkpoint before {@link
 * writeCheckpoint} was given the part. When anything is thrown, nothing is left. Holds one block of 4 MiB of a tensor.
 * @throws CheckpointError `non-finite`, `bad-argument`, `bad-json`, `write-failed`, as writeCheckpoint.
 */
export async function writeCheckpointPart(
  directory: string,
  modules: Readonly<Record<string, ModuleState>>,
  {
    signal,
    onProgress,
    maximumShardBytes = DEFAULT_SHARD_BYTES,
  }: WriteOptions & { readonly maximumShardBytes?: number } = {},
): Promise<CheckpointPart> {
  checkContent({ configuration: {}, modules });
  signal?.throwIfAborted();
  const tensors = planShards(labelTensors(modules), maximumShardBytes);
  const layouts = tensors.map((each) => planSafetensors(each, { producer: 'vastmax' }));
  const total = layouts.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const shards: WrittenShard[] = [];
  try {
    await mkdir(directory, { recursive: true });
    const names = nameShards(
      nextCounter(await readdir(directory), undefined),
      randomBytes(4).toString('hex'),
      layouts.length,
    );
    for (const [at, layout] of layouts.entries()) {
      const file = names.shards[at] ?? '';
      const digest = await writeDurably(join(directory, file), (append) =>
        appendSafetensors(
          layout,
          async (block) => {
            await append(block);
            onProgress?.((done += block.length), total);
          },
          signal,
        ),
      );
      shards.push({ file, ...digest, tensors: placesOf(tensors[at] ?? []) });
    }
    return { shards, modules: Object.entries(modules).map(([name, { configuration }]) => ({ name, configuration })) };
  } catch (error) {
    await discardCheckpointPart(directory, { shards, modules: [] });
    if (!isSystemError(error)) throw error;
    throw new CheckpointError(
      'write-failed',
      `writeCheckpointPart: ${directory} was not written: ${error.message}; an earlier checkpoint there is untouched`,
      { cause: error },
    );
  }
}

/** Removes the files of a part that no checkpoint will name. */
export async function discardCheckpointPart(directory: string, { shards }: CheckpointPart): Promise<void> {
  await Promise.all(shards.map(({ file }) => rm(join(directory, file), { force: true }).catch(() => undefined)));
}
