/**
 * A module of which every rank has a shard, in a checkpoint that all ranks write: each shard is a module of its own,
 * `output.shard-1-of-4`, in a file that its rank wrote. The format of checkpoints knows nothing of ranks; who reads
 * `output` gets the shards put together, row for row, or the one of his rank.
 */
import { mergeShards, shardPlaceOf, type ShardPlace } from '@vastmax/distributed-layers';
import { type ModuleState, StateError } from '@vastmax/linalg-core/state';

/** An opened checkpoint of lm-models is such. */
export interface SavedModules {
  readonly moduleNames: readonly string[];
  module(name: string): ModuleState;
}

/** What of a rank's modules is its own to write, under names that no other rank uses; with one rank none is sharded. */
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
 * A module of a checkpoint, whole: its shards put together where it has them.
 * @param place to get this rank's own shard, bit for bit, where the checkpoint is of as many ranks.
 * @throws StateError `state-mismatch` when a shard is missing.
 */
export function savedModule(saved: SavedModules, name: string, place?: ShardPlace): ModuleState {
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
