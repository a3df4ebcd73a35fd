/**
 * A checkpoint of the sharded layer is one state per rank: its own rows, and the replicated matrices, which are small.
 * The merged shards of a job are the state of the factored layer in one process, row for row; and any rank of any job
 * can select its part of such a state. So a run can continue on another number of ranks, or in one process. All data is
 * read in blocks of rows: nothing of size D is ever held in memory.
 */
import { isTensorOfTable } from '@vastmax/softmax-losses/layer-parts';
import { classRowTensors } from '@vastmax/spherical-losses/factored-parts';
import { joinParts, partNamesOf, partOf } from '@vastmax/hybrid-layer/layer-parts';
import {
  firstLocalAt,
  localRowOf,
  ownedCount,
  ownerOf,
  partitionOfGroups,
  rowOf,
  type RowPartition,
} from '../rows/row-partition.ts';
import {
  type JsonObject,
  type ModuleState,
  type TensorPrecision,
  type TensorSource,
  type TensorValues,
  StateError,
} from '@vastmax/linalg-core/state';

/**
 * How the rows of a tensor are distributed over `size` ranks; undefined for a tensor that all ranks have. Which tensors
 * have a row for each class is defined by the package of that layer.
 * @param groups of tables whose rows are distributed in groups.
 */
function partitionOf(
  { configuration }: ModuleState,
  tensor: string,
  size: number,
  groups: Readonly<Record<string, RowPartition>> | undefined,
): RowPartition | undefined {
  if (groups !== undefined) return Object.entries(groups).find(([table]) => isTensorOfTable(table, tensor))?.[1];
  const isDistributed =
    configuration['kind'] === 'factored' ? classRowTensors.includes(tensor) : isTensorOfTable('classes', tensor);
  return isDistributed ? { rows: Number(configuration['classes']), size } : undefined;
}

/** The groups that a shard says its tables are distributed in. */
function groupsOf({ configuration }: ModuleState, size: number): Readonly<Record<string, RowPartition>> | undefined {
  const { groups } = configuration['shard'] as JsonObject;
  if (typeof groups !== 'object' || groups === null) return undefined;
  return Object.fromEntries(
    Object.entries(groups).map(([table, starts]) => [table, partitionOfGroups(starts as number[], size)]),
  );
}

/** Which of how many ranks holds a part. */
export interface ShardPlace {
  readonly rank: number;
  readonly size: number;
}

/** Which shard of how many a state is; undefined for a whole one. @throws StateError `state-mismatch`. */
export function shardPlaceOf({ configuration }: ModuleState): ShardPlace | undefined {
  const shard = configuration['shard'];
  if (shard === undefined) return undefined;
  const { rank, size } = (typeof shard === 'object' && shard !== null ? shard : {}) as JsonObject;
  if (
    typeof rank === 'number' &&
    typeof size === 'number' &&
    Number.isSafeInteger(rank) &&
    Number.isSafeInteger(size) &&
    rank >= 0 &&
    rank < size
  )
    return { rank, size };
  throw new StateError(
    'state-mismatch',
    `distributed layer: 'shard' in the state is ${JSON.stringify(shard)}, expected a rank and a size`,
  );
}

/**
 * Merges all shards of a checkpoint, in any order, into one state: that of the factored layer in one process.
 * @throws StateError `state-mismatch` when one is missing or they are not of one checkpoint.
 */
export function mergeShards(shards: readonly ModuleState[]): ModuleState {
  const placed = new Map<number, ModuleState>();
  for (const shard of shards) {
    const place = shardPlaceOf(shard);
    if (place === undefined || place.size !== shards.length || placed.has(place.rank)) {
      const found = shards.map((one) => JSON.stringify(one.configuration['shard'] ?? 'whole')).join(', ');
      throw new StateError(
        'state-mismatch',
        `mergeShards: ${shards.length} states that are not the shards 0 to ${shards.length - 1} of ${shards.length}: ${found}`,
      );
    }
    placed.set(place.rank, shard);
  }
  const ordered = [...placed].sort(([a], [b]) => a - b).map(([, shard]) => shard);
  const [first] = ordered;
  if (first === undefined) throw new StateError('state-mismatch', 'mergeShards: there are no shards');
  for (const [rank, { configuration }] of ordered.entries()) {
    for (const key of ['kind', 'classes', 'features', 'bias', 'loss', 'precision', 'steps', 'generation', 'progress']) {
      const [expected, found] = [JSON.stringify(first.configuration[key]), JSON.stringify(configuration[key])];
      if (expected !== found)
        throw new StateError(
          'state-mismatch',
          `mergeShards: '${key}' is ${expected ?? 'missing'} in shard 0 and ${found ?? 'missing'} in shard ${rank}; they are not of one checkpoint`,
        );
    }
  }
  if (first.configuration['kind'] === 'hybrid') return mergeParts(first, ordered);
  const size = ordered.length;
  const groups = groupsOf(first, size);
  const tensors = first.tensors.map((tensor) => {
    const partition = partitionOf(first, tensor.name, size, groups);
    return partition === undefined ? tensor : interleaved(tensor, ordered, partition);
  });
  // Each rank has dropped the transforms of rebase epochs that none of its own rows needs.
  const known = new Set(tensors.map(({ name }) => name));
  for (const shard of ordered) {
    for (const tensor of shard.tensors) {
      if (known.has(tensor.name)) continue;
      known.add(tensor.name);
      tensors.push(tensor);
    }
  }
  const configuration = Object.fromEntries(Object.entries(first.configuration).filter(([key]) => key !== 'shard'));
  return { configuration: { ...configuration, ...sweepOf(first, Number(configuration['classes'])) }, tensors };
}

/** The state of a hybrid layer from those of the ranks, part by part. */
function mergeParts(first: ModuleState, shards: readonly ModuleState[]): ModuleState {
  const parts = partNamesOf(first).map((name) => {
    const own = partOf(first, name);
    const isWhole = shardPlaceOf(own) === undefined;
    return [name, isWhole ? own : mergeShards(shards.map((shard) => partOf(shard, name)))] as const;
  });
  const own = Object.entries(first.configuration).filter(([key]) => key !== 'shard');
  return joinParts(Object.fromEntries(own), parts);
}

/** The part of a whole state that belongs to one rank of a job. */
function shardOf(
  whole: ModuleState,
  { rank, size }: ShardPlace,
  classes: number,
  groups: Readonly<Record<string, RowPartition>> | undefined,
): ModuleState {
  const tensors = whole.tensors.map((tensor) => {
    const partition = partitionOf(whole, tensor.name, size, groups);
    if (partition === undefined) return tensor;
    const rows = groups === undefined ? classes : partition.rows;
    if (tensor.rows !== rows) {
      throw new StateError(
        'state-mismatch',
        `tensor '${tensor.name}' has ${tensor.rows} rows in the checkpoint, the layer ${rows}${groups === undefined ? ' classes' : ''}`,
      );
    }
    return rowsOfRank(tensor, rank, partition);
  });
  const own = ownedCount({ rows: classes, size }, rank);
  return {
    configuration: { ...whole.configuration, ...sweepOf(whole, own), shard: { rank, size } },
    tensors,
  };
}

/**
 * The part of a rank, from its own shard or from a whole state.
 * @param groups of tables whose rows are distributed in groups.
 * @throws StateError `state-mismatch` for another rank's shard.
 */
export function ownShardOf(
  layer: string,
  given: ModuleState,
  own: ShardPlace,
  classes: number,
  groups?: Readonly<Record<string, RowPartition>>,
): ModuleState {
  const place = shardPlaceOf(given);
  if (place === undefined) return shardOf(given, own, classes, groups);
  if (place.rank === own.rank && place.size === own.size) return given;
  throw new StateError(
    'state-mismatch',
    `${layer}: the state is shard ${place.rank} of ${place.size}, this is rank ${own.rank} of ${own.size}; give every rank mergeShards of all shards`,
  );
}

/** The state of the background conversion: a pass over all rows is due, from the first row on, a few rows per step. */
function sweepOf({ configuration }: ModuleState, rows: number): JsonObject {
  return configuration['sweep'] === undefined
    ? {}
    : {
        sweep: {
          cursor: 0,
          debt: rows,
          passBoundary: 0,
          stepsInGeneration: 0,
          pace: Math.max(1, Math.ceil(rows / 1000)),
        },
      };
}

function interleaved(
  { name, precision, columns }: TensorSource,
  shards: readonly ModuleState[],
  partition: RowPartition,
): TensorSource {
  const parts = shards.map((shard, rank) => {
    const part = shard.tensors.find((candidate) => candidate.name === name);
    const rows = ownedCount(partition, rank);
    if (part?.rows === rows && part.columns === columns) return part;
    throw new StateError(
      'state-mismatch',
      `mergeShards: tensor '${name}' of shard ${rank} is ${part === undefined ? 'missing' : `${part.rows}×${part.columns}`}, it must be ${rows}×${columns}`,
    );
  });
  return {
    name,
    precision,
    rows: partition.rows,
    columns,
    read: async (first, count) => {
      const out = createValues(precision, count * columns);
      for (const [rank, part] of parts.entries()) {
        const firstLocal = firstLocalAt(partition, rank, first);
        const rows = ownedCount(partition, rank, first, count);
        if (rows === 0) continue;
        const values = await part.read(firstLocal, rows);
        for (let i = 0; i < rows; i++) copyRow(values, i, out, rowOf(partition, rank, firstLocal + i) - first, columns);
      }
      return out;
    },
  };
}

function rowsOfRank(tensor: TensorSource, rank: number, partition: RowPartition): TensorSource {
  const { name, precision, columns } = tensor;
  return {
    name,
    precision,
    rows: ownedCount(partition, rank),
    columns,
    read: async (first, count) => {
      const out = createValues(precision, count * columns);
      const begin = rowOf(partition, rank, first);
      const end = Math.min(partition.rows, rowOf(partition, rank, first + count));
      // A block holds the rows of all ranks; one block at a time, as large as the requested one.
      for (let block = begin; block < end; block += Math.max(1, count)) {
        const length = Math.min(Math.max(1, count), end - block);
        const values = await tensor.read(block, length);
        for (let row = block; row < block + length; row++) {
          if (ownerOf(partition, row) === rank)
            copyRow(values, row - block, out, localRowOf(partition, row) - first, columns);
        }
      }
      return out;
    },
  };
}

function createValues(precision: TensorPrecision, length: number): TensorValues {
  if (precision === 'i32') return new Int32Array(length);
  if (precision === 'u8') return new Uint8Array(length);
  return precision === 'f32' ? new Float32Array(length) : new Float64Array(length);
}

function copyRow(from: TensorValues, source: number, to: TensorValues, target: number, columns: number): void {
  for (let i = source * columns, j = target * columns, end = i + columns; i < end; i++, j++) to[j] = from[i]!;
}
