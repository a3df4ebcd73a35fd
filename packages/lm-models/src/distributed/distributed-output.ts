/** The output layers of the registry whose classes can be distributed over the ranks of a job. */
import type { Communicator } from '@vastmax/collectives';
import {
  createDistributedFactoredLayer,
  createDistributedHybridLayer,
  createShardedHierarchicalSoftmax,
  createShardedNegativeSampling,
  createShardedNoiseContrastive,
  createShardedSampledSoftmax,
  createVocabularyParallelSoftmax,
  type DistributedFactoredLayerOptions,
} from '@vastmax/distributed-layers';
import { ModelError } from '../model-error.ts';
import { createLoss, hybridLayerOptions } from '../output-layers/factored-layers.ts';
import type { OutputLayerFactory } from '../output-layers/output-layer-entry.ts';
import { outputLayerOf, outputLayers } from '../output-layers/registry.ts';
import { sampledLayerOptions } from '../output-layers/sampled-layers.ts';
import { fullLayerOptions, hierarchicalLayerOptions } from '../output-layers/softmax-layers.ts';

/**
 * For `createNetwork`, on every rank: creates the layer of a choice over all of them.
 * @param options callbacks of the layers with rows that every rank has.
 * @returns a function that throws ModelError `unsupported` for a choice that only one process supports.
 */
export function createDistributedOutput(
  communicator: Communicator,
  options: Pick<DistributedFactoredLayerOptions, 'onReplicaDrift'> = {},
): OutputLayerFactory {
  return async (backend, sizes, choice) => {
    const refused = outputLayerOf(choice.kind).abilities.refusedOverRanks?.(choice);
    if (refused !== undefined) {
      throw new ModelError('unsupported', `training over ranks ${refused.reason}; leave ${refused.option} out`);
    }
    switch (choice.kind) {
      case 'factored': {
        const { loss, weightDecay, initialScale, seed } = choice;
        return createDistributedFactoredLayer(communicator, backend, {
          classes: sizes.frequencies.length,
          features: sizes.features,
          initialScale,
          seed,
          loss: createLoss(loss),
          ...(weightDecay === undefined ? {} : { weightDecay }),
          ...options,
        });
      }
      case 'hybrid':
        return createDistributedHybridLayer(communicator, backend, {
          ...hybridLayerOptions(sizes, choice),
          ...options,
        });
      case 'hierarchical':
        return createShardedHierarchicalSoftmax(communicator, backend, {
          ...hierarchicalLayerOptions(sizes, choice),
          ...options,
        });
      case 'full':
        return createVocabularyParallelSoftmax(communicator, backend, fullLayerOptions(sizes, choice));
      case 'sampled':
        return createShardedSampledSoftmax(communicator, backend, sampledLayerOptions(sizes, choice));
      case 'nce':
        return createShardedNoiseContrastive(communicator, backend, sampledLayerOptions(sizes, choice));
      case 'negative':
        return createShardedNegativeSampling(communicator, backend, sampledLayerOptions(sizes, choice));
      default: {
        const names = outputLayers.filter(({ abilities }) => abilities.overRanks).map(({ name }) => name);
        throw new ModelError(
          'unsupported',
          `there is no ${choice.kind} layer over several ranks; there are ${names.join(', ')}`,
        );
      }
    }
  };
}
