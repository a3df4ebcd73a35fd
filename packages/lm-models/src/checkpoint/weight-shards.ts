// Tensors in several files, as Hugging Face lays them out: whole tensors, in order, as many to a file as fit under a
// bound, and beside them `NAME.safetensors.index.json`, which says where each is. With one file there is no index.
// Other programs find the tensors by the index; here checkpoint.json names the files and each file its tensors.

import { CheckpointError } from './checkpoint-error.ts';
import { checkTensors, storedBytes } from './safetensors-layout.ts';
import type { LabelledTensor } from './safetensors-layout.ts';

/** Of tensors in a shard. */
export const DEFAULT_SHARD_BYTES: number = 2 ** 32;
/** Five digits. */
const MAXIMUM_SHARDS = 99_999;

/**
 * At least one shard, which may be empty. A tensor larger than the bound has a shard of its own.
 * @throws CheckpointError `bad-argument` for tensors that cannot be written, a bound that is no whole number from 1, or
 * too many shards
 */
export function planShards(
  tensors: readonly LabelledTensor[],
  maximumBytes: number,
): readonly (readonly LabelledTensor[])[] {
  if (!Number.isSafeInteger(maximumBytes) || maximumBytes < 1)
    throw new CheckpointError(
      'bad-argument',
      `writeCheckpoint: maximumShardBytes is ${maximumBytes}; a whole number of at least 1 is needed`,
    );
  checkTensors(tensors);
  const shards: LabelledTensor[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    const bytes = storedBytes(tensor);
    const shard = shards.at(-1);
    if (shard === undefined || bytes > room) {
      shards.push([tensor]);
      room = maximumBytes - bytes;
    } else {
      shard.push(tensor);
      room -= bytes;
    }
  }
  if (shards.length > MAXIMUM_SHARDS)
    throw new CheckpointError(
      'bad-argument',
      `writeCheckpoint: with maximumShardBytes ${maximumBytes} there are ${shards.length} shards; at most ${MAXIMUM_SHARDS} are possible: raise it`,
    );
  return shards.length === 0 ? [[]] : shards;
}

export interface ShardNames {
  readonly shards: readonly string[];
  /** Absent with one shard. */
  readonly index?: string;
}

/** Names that no checkpoint has used. @param others how many shards the checkpoint has beside these. */
export function nameShards(counter: number, random: string, count: number, others = 0): ShardNames {
  const stem = `weights-${counter}-${random}`;
  const five = (value: number): string => String(value).padStart(5, '0');
  const shards =
    count === 1
      ? [`${stem}.safetensors`]
      : Array.from({ length: count }, (_, at) => `${stem}-${five(at + 1)}-of-${five(count)}.safetensors`);
  return count + others === 1 ? { shards } : { shards, index: `${stem}.safetensors.index.json` };
}

/** What the index says of a tensor. */
export interface TensorPlace {
  readonly name: string;
  readonly bytes: number;
}

export function placesOf(tensors: readonly LabelledTensor[]): readonly TensorPlace[] {
  return tensors.map((tensor) => ({ name: tensor.name, bytes: storedBytes(tensor) }));
}

/** The index: https://huggingface.co/docs/safetensors (sharded checkpoints). */
export function encodeShardIndex(shards: readonly (readonly TensorPlace[])[], names: readonly string[]): Uint8Array {
  const members = shards.flatMap((tensors, at) =>
    tensors.map(({ name }) => `    ${JSON.stringify(name)}: ${JSON.stringify(names[at])}`),
  );
  const total = shards.flat().reduce((sum, { bytes }) => sum + bytes, 0);
  return Buffer.from(
    `{\n  "metadata": { "total_size": ${total} },\n  "weight_map": {\n${members.join(',\n')}\n  }\n}\n`,
  );
}
