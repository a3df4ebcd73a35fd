/**
 * The recurrent state of a body has a row for each stream, and each rank trains its own streams. A checkpoint has the
 * streams of all ranks, in the order of the ranks, which is their order in the text: this is the state of one process,
 * and training can continue from it on any number of ranks.
 */
import type { Communicator } from '@vastmax/collectives';
import type { ShardPlace } from '@vastmax/distributed-layers';
import { recurrentStreamsOf } from '../bodies/recurrent-state.ts';
import { ownPart } from './batch-parts.ts';
import type { ModuleState, TensorPrecision, TensorSource } from '@vastmax/linalg-core/state';

/**
 * The state of a body with the streams of all ranks. A collective. Every rank gets all streams, a few numbers each. A
 * state without recurrent state is returned as it is.
 */
export async function gatherStreams(communicator: Communicator, state: ModuleState): Promise<ModuleState> {
  const recurrent = recurrentStreamsOf(state);
  if (recurrent === undefined || communicator.size === 1) return state;
  const { streams, tensorNames } = recurrent;
  const { size } = communicator;
  const counts = new Float64Array(size);
  communicator.allGather(Float64Array.of(streams), new Int32Array(size).fill(1), counts);
  const all = counts.reduce((sum, count) => sum + count, 0);
  const tensors: TensorSource[] = [];
  for (const tensor of state.tensors) {
    if (!tensorNames.has(tensor.name)) {
      tensors.push(tensor);
      continue;
    }
    const { name, precision, columns } = tensor;
    const part = await tensor.read(0, streams);
    const values = createFloats(precision, all * columns);
    communicator.allGather(
      part as typeof values,
      Int32Array.from(counts, (count) => count * columns),
      values,
    );
    tensors.push({
      name,
      precision,
      rows: all,
      columns,
      read: (first, count) => Promise.resolve(values.subarray(first * columns, (first + count) * columns)),
    });
  }
  return { configuration: { ...state.configuration, streams: all }, tensors };
}

/** The state of a body for one rank: `whole` with the streams of this rank only. */
export function ownStreams(whole: ModuleState, place: ShardPlace): ModuleState {
  const recurrent = recurrentStreamsOf(whole);
  if (recurrent === undefined) return whole;
  const { first: begin, count: own } = ownPart(recurrent.streams, place);
  const tensors = whole.tensors.map((tensor) =>
    recurrent.tensorNames.has(tensor.name) && tensor.rows === recurrent.streams
      ? { ...tensor, rows: own, read: (first: number, count: number) => tensor.read(begin + first, count) }
      : tensor,
  );
  return { configuration: { ...whole.configuration, streams: own }, tensors };
}

function createFloats(precision: TensorPrecision, length: number): Float32Array | Float64Array {
  return precision === 'f32' ? new Float32Array(length) : new Float64Array(length);
}
