/**
 * What a recurrent model carries from step to step has a row a stream, and each rank its own streams. In a checkpoint
 * they stand together, in the order of the ranks, which is that of the text's parts: the state of one process. Any
 * number of ranks, or one process, takes its part of it and goes on.
 */
import type { Communicator } from '@vastmax/collectives';
import type { ShardPlace } from '@vastmax/distributed-layers';
import { ownPart } from './batch-parts.ts';
import type { ModuleState, TensorPrecision, TensorSource } from '@vastmax/linalg-core/state';

/** As the recurrent body of lm-models names the tensors, beside `streams` in its configuration. */
const carriedTensors = /^carried\.\d+$/;

/**
 * The state of a body on every rank with the streams of all. A collective; every rank holds what all carry, a few
 * numbers a stream. A state without streams is itself.
 */
export async function gatherStreams(communicator: Communicator, state: ModuleState): Promise<ModuleState> {
  const { streams } = state.configuration;
  if (typeof streams !== 'number' || communicator.size === 1) return state;
  const { size } = communicator;
  const own = Float64Array.of(streams);
  const each = new Float64Array(size);
  communicator.allGather(own, new Int32Array(size).fill(1), each);
  const all = each.reduce((sum, count) => sum + count, 0);
  const tensors: TensorSource[] = [];
  for (const tensor of state.tensors) {
    if (!carriedTensors.test(tensor.name)) {
      tensors.push(tensor);
      continue;
    }
    const { name, precision, columns } = tensor;
    const part = await tensor.read(0, streams);
    const values = createFloats(precision, all * columns);
    communicator.allGather(
      part as typeof values,
      Int32Array.from(each, (count) => count * columns),
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

/** What a rank takes of a body's whole state: all of it but the streams of others. */
export function ownStreams(whole: ModuleState, place: ShardPlace): ModuleState {
  const { streams } = whole.configuration;
  if (typeof streams !== 'number') return whole;
  const { first: begin, count: own } = ownPart(streams, place);
  const tensors = whole.tensors.map((tensor) =>
    carriedTensors.test(tensor.name) && tensor.rows === streams
      ? { ...tensor, rows: own, read: (first: number, count: number) => tensor.read(begin + first, count) }
      : tensor,
  );
  return { configuration: { ...whole.configuration, streams: own }, tensors };
}

function createFloats(precision: TensorPrecision, length: number): Float32Array | Float64Array {
  return precision === 'f32' ? new Float32Array(length) : new Float64Array(length);
}
