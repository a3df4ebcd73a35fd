/** Train, hand out the state, take one over, train on. */
import type { Communicator } from '@vastmax/collectives';
import { mergeShards } from '@vastmax/distributed-layers';
import {
  constantsLoss,
  createSmallLayer,
  createTraining,
  rebasingLoss,
  moduleState,
  plainState,
  readWeights,
  type PlainState,
} from './small-layer.ts';

export interface CheckpointRequest {
  readonly loss: 'rebases' | 'constants';
  /** Steps that the stream of minibatches is ahead. */
  readonly skip: number;
  /** Shards of a job of any number of ranks, to be resumed from. */
  readonly from?: readonly PlainState[];
  readonly steps: number;
}

export interface CheckpointAnswer {
  readonly state: PlainState;
  readonly weights: Float64Array;
  readonly rebases: number;
  readonly steps: number;
}

export async function checkpoints(
  communicator: Communicator,
  { loss, skip, from, steps }: CheckpointRequest,
): Promise<CheckpointAnswer> {
  const { rank, size } = communicator;
  const options = { loss: loss === 'rebases' ? rebasingLoss() : constantsLoss() };
  const rate = loss === 'rebases' ? 0.13 : 0.002;
  using layer = await createSmallLayer(communicator, options);
  const train = createTraining(layer, rate);
  // The layer's own start is trained for nothing, and the stream with it.
  await train(skip);
  if (from !== undefined) {
    const shards = from.map(moduleState);
    const own = shards[rank];
    await layer.restore(shards.length === size && own !== undefined ? own : mergeShards(shards));
  }
  await train(steps);
  const { rebases, steps: done } = layer.counters;
  return { state: await plainState(layer.state()), weights: await readWeights(layer), rebases, steps: done };
}
