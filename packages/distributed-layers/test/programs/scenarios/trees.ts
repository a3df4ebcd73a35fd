/** Trees of softmaxes and the hybrid layer over all ranks, each with its part of minibatches that the seed gives. */
import type { Communicator } from '@vastmax/collectives';
import {
  createDistributedHybridLayer,
  createShardedHierarchicalSoftmax,
  createShardedTreeSoftmax,
  mergeShards,
} from '@vastmax/distributed-layers';
import { createHybridOutputLayer } from '@vastmax/hybrid-layer';
import { createPlainBackend, type Backend } from '@vastmax/linalg-core';
import type { OutputLayer } from '@vastmax/output-layer';
import { createHierarchicalSoftmaxLayer, createTreeSoftmaxLayer } from '@vastmax/softmax-losses';
import { createUpdateRule } from '@vastmax/update-rules';
import { moduleState, plainState, type PlainState } from './small-layer.ts';
import { classes, features, trainGlobalBatches, type GlobalAnswer, type GlobalTraining } from './global-training.ts';

export interface TreeRequest extends GlobalTraining {
  readonly layer: 'tree' | 'shallow tree' | 'hierarchical' | 'hybrid' | 'spherical hybrid' | 'two tails';
  readonly precision: 'f32' | 'f64';
  readonly rule: string;
  /** Shards of a job of any number of ranks, to be resumed from; or one whole state. */
  readonly from?: readonly PlainState[];
}

export interface TreeAnswer extends GlobalAnswer {
  readonly state: PlainState;
}

const frequencies = Float64Array.from({ length: classes }, (_, k) => Math.ceil(900 / (k + 1)));
const start = { features, initialScale: 0.4, seed: 4 };

/** The layer in one process, or over ranks. */
export async function createTreeLayer(
  backend: Backend,
  { layer, rule: name }: Pick<TreeRequest, 'layer' | 'rule'>,
  communicator?: Communicator,
): Promise<OutputLayer> {
  const rule = createUpdateRule(name);
  switch (layer) {
    case 'tree':
    case 'shallow tree': {
      const shape = layer === 'tree' ? { fanOut: 3, levels: 2 } : { levels: 0 };
      const options = { ...start, classes, frequencies, rule, shortlist: 5, ...shape };
      return communicator === undefined
        ? createTreeSoftmaxLayer(backend, options)
        : createShardedTreeSoftmax(communicator, backend, { ...options, checkEvery: 20 });
    }
    case 'hierarchical': {
      const options = { ...start, classes, frequencies, rule };
      return communicator === undefined
        ? createHierarchicalSoftmaxLayer(backend, options)
        : createShardedHierarchicalSoftmax(communicator, backend, options);
    }
    default: {
      const options = {
        ...start,
        frequencies,
        headSize: 6,
        headRate: 1,
        tailRate: layer === 'spherical hybrid' ? 0.1 : 1,
        headRule: rule,
        ...(layer === 'spherical hybrid'
          ? { tail: 'spherical' as const }
          : { tailRule: rule, shortlist: 4, fanOut: 2, levels: 3 }),
        ...(layer === 'two tails' ? { tailCutoffs: [30] } : {}),
      };
      return communicator === undefined
        ? createHybridOutputLayer(backend, options)
        : createDistributedHybridLayer(communicator, backend, options);
    }
  }
}

export async function trees(communicator: Communicator, request: TreeRequest): Promise<TreeAnswer> {
  const backend = createPlainBackend({ precision: request.precision });
  const { rank, size } = communicator;
  using layer = await createTreeLayer(backend, request, communicator);
  if (request.from !== undefined) {
    const shards = request.from.map(moduleState);
    const own = shards[rank];
    const merged = shards.length === 1 && own?.configuration['shard'] === undefined ? shards[0]! : mergeShards(shards);
    await layer.restore(shards.length === size && own?.configuration['shard'] !== undefined ? own : merged);
  }
  const answer = await trainGlobalBatches(communicator, layer, request);
  return { ...answer, state: await plainState(layer.state()) };
}
