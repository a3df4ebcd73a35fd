import { StateError, type ModuleState } from '@vastmax/linalg-core/state';
import { shardOf, shardPlaceOf, type ShardPlace } from './sharded-state.ts';

/**
 * What a rank takes of a state that is its own shard or a whole one.
 * @throws StateError `state-mismatch` for another rank's shard.
 */
export function ownShardOf(layer: string, given: ModuleState, own: ShardPlace, classes: number): ModuleState {
  const place = shardPlaceOf(given);
  if (place === undefined) return shardOf(given, own, classes);
  if (place.rank === own.rank && place.size === own.size) return given;
  throw new StateError(
    'state-mismatch',
    `${layer}: the state is shard ${place.rank} of ${place.size}, this is rank ${own.rank} of ${own.size}; give every rank mergeShards of all shards`,
  );
}
