/**
 * The shards of a module in a checkpoint that all ranks write. Each shard is saved as a module with a name of its own,
 * `output.shard-1-of-4`, in the file of its rank, so that the checkpoint format is independent of ranks. Reading
 * `output` merges the shards row by row, or selects the shard of this rank.
 */
import { mergeShards, shardPlaceOf, type ShardPlace } from '@vastmax/distributed-layers';
import { type ModuleState, StateError } from '@vastmax/linalg-core/state';
import type { Checkpoint } from '@vastmax/checkpoints';

/**
 * Splits modules into those that only this rank writes, under names that no other rank uses, and those that are the
 * same on every rank. With one rank nothing is sharded.
 */
export function splitModules(modules: Readonly<Record<string, ModuleState>>): {
  readonly own: Readonly<Record<string, ModuleState>>;
  readonly replicated: Readonly<Record<string, ModuleState>>;
} {
  const own: Record<string, ModuleState> = {};
  const replicated: Record<string, ModuleState> = {};
  for (const [name, state] of Object.entries(modules)) {
    const place = shardPlaceOf(state);
    if (place === undefined) replicated[name] = state;
    else if (place.size === 1) replicated[name] = mergeShards([state]);
    else own[shardName(name, place)] = state;
  }
  return { own, replicated };
}

/**
 * A module of a checkpoint; if it was saved as shards, they are merged.
 * @param place of this rank: where the checkpoint has as many shards as ranks, the result is this rank's own shard.
 * @throws StateError `state-mismatch` when a shard is missing.
 */
export function savedModule(
  saved: Pick<Checkpoint, 'moduleNames' | 'module'>,
  name: string,
  place?: ShardPlace,
): ModuleState {
  const shards = saved.moduleNames.filter((each) => each.startsWith(`${name}.shard-`));
  if (shards.length === 0) return saved.module(name);
  if (place?.size === shards.length && shards.includes(shardName(name, place)))
    return saved.module(shardName(name, place));
  const states = shards.map((each) => saved.module(each));
  const size = states[0] === undefined ? undefined : shardPlaceOf(states[0])?.size;
  if (size !== undefined && size !== states.length) {
    throw new StateError(
      'state-mismatch',
      `the checkpoint has ${states.length} of the ${size} shards of ${name}: ${shards.join(', ')}`,
    );
  }
  return mergeShards(states);
}

function shardName(name: string, { rank, size }: ShardPlace): string {
  return `${name}.shard-${rank}-of-${size}`;
}
