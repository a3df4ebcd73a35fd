/** A rank whose replicated matrices differ in the last digits is found; it is mended where that was asked for. */
import { isCommunicatorError, type Communicator } from '@vastmax/collectives';
import type { ReplicaDrift } from '@vastmax/distributed-layers';
import { createSmallLayer, createTraining, plainState, readWeights } from './small-layer.ts';
import type { ModuleState } from '@vastmax/linalg-core/state';

export interface DriftAnswer {
  readonly told: readonly ReplicaDrift[];
  readonly repairs: number;
  readonly weights: Float64Array;
  readonly gram: Float64Array;
}

export async function replicaDrift(
  communicator: Communicator,
  { spoil }: { readonly spoil: boolean },
): Promise<DriftAnswer> {
  const told: ReplicaDrift[] = [];
  using layer = await createSmallLayer(communicator, { checkEvery: 4, onReplicaDrift: (drift) => told.push(drift) });
  const train = createTraining(layer);
  await train(6);
  if (spoil) await layer.restore(communicator.rank === 1 ? spoiled(layer.state()) : layer.state());
  await train(6);
  const { tensors } = await plainState(layer.state());
  const gram = tensors.find(({ name }) => name === 'centred_gram')?.values ?? [];
  return {
    told,
    repairs: layer.counters.replicaRepairs,
    weights: await readWeights(layer),
    gram: Float64Array.from(gram),
  };
}

/** Without a request to repair: the message, and after how many steps it came. */
export async function replicaDriftRefused(
  communicator: Communicator,
): Promise<{ readonly message: string; readonly steps: number }> {
  using layer = await createSmallLayer(communicator, { checkEvery: 4 });
  const train = createTraining(layer);
  await train(6);
  await layer.restore(communicator.rank === 1 ? spoiled(layer.state()) : layer.state());
  try {
    await train(6);
    return { message: 'nothing happened', steps: layer.counters.steps };
  } catch (error) {
    if (!isCommunicatorError(error) || error.code !== 'mismatch') throw error;
    return { message: error.message, steps: layer.counters.steps };
  }
}

/** C larger by one part in 10¹². */
function spoiled({ configuration, tensors }: ModuleState): ModuleState {
  return {
    configuration,
    tensors: tensors.map((tensor) =>
      tensor.name === 'centred_gram'
        ? {
            ...tensor,
            read: async (first, count) =>
              Float64Array.from(await tensor.read(first, count), (value) => value * (1 + 1e-12)),
          }
        : tensor,
    ),
  };
}
