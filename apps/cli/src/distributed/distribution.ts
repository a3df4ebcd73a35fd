/**
 * Training over the ranks of a job, as far as the models' parts know of it: an output layer whose classes are shared
 * out, the body's gradients added up, and each rank's part of every minibatch. What cannot be had so is refused before
 * anything is read.
 */
import type { Communicator } from '@vastmax/collectives';
import {
  createDistributedFactoredLayer,
  createShardedNegativeSampling,
  createShardedNoiseContrastive,
  createShardedSampledSoftmax,
  createVocabularyParallelSoftmax,
} from '@vastmax/distributed-layers';
import { DataParallel, type DataParallelOptions } from '@vastmax/lm-models/distributed';
import type { Backend } from '@vastmax/linalg-core';
import {
  fullLayerOptions,
  sampledLayerOptions,
  type OutputLayerChoice,
  type OutputLayerFactory,
} from '@vastmax/lm-models';
import { createBuiltInLoss } from '@vastmax/spherical-losses';
import type { TextModelOptions } from '../text-model.ts';
import { UsageError } from '../usage-error.ts';
import { warn } from '../warning.ts';

export interface Distribution extends Disposable {
  readonly communicator: Communicator;
  readonly ranks: DataParallel;
  readonly createOutput: OutputLayerFactory;
}

/** @param options of the body's replicas. */
export function createDistribution(
  communicator: Communicator,
  backend: Backend,
  options: DataParallelOptions = {},
): Distribution {
  const ranks = new DataParallel(communicator, backend, options);
  return {
    communicator,
    ranks,
    createOutput: (_backend, sizes, choice) => {
      checkOutput(choice);
      switch (choice.kind) {
        case 'full':
          return createVocabularyParallelSoftmax(communicator, backend, fullLayerOptions(sizes, choice));
        case 'sampled':
          return createShardedSampledSoftmax(communicator, backend, sampledLayerOptions(sizes, choice));
        case 'nce':
          return createShardedNoiseContrastive(communicator, backend, sampledLayerOptions(sizes, choice));
        case 'negative':
          return createShardedNegativeSampling(communicator, backend, sampledLayerOptions(sizes, choice));
        case 'factored': {
          const { loss, weightDecay, initialScale, seed } = choice;
          return createDistributedFactoredLayer(communicator, backend, {
            classes: sizes.frequencies.length,
            features: sizes.features,
            initialScale,
            seed,
            loss: createBuiltInLoss(loss.name, loss.options),
            onReplicaDrift: ({ step, ranks }) => {
              if (communicator.rank !== 0) return;
              warn(
                `output layer, step ${step}: the replicated matrices of rank ${ranks.join(', ')} differed from those of rank 0, which all ranks now have; are the machines of one kind?`,
              );
            },
            ...(weightDecay === undefined ? {} : { weightDecay }),
          });
        }
      }
    },
    [Symbol.dispose]: () => {
      ranks[Symbol.dispose]();
    },
  };
}

/** @throws UsageError for a model that only one process can train, with what works. */
export function checkDistributable({ body, output }: TextModelOptions): void {
  if ((body.dropout ?? 0) > 0)
    throw new UsageError(
      '--distributed trains without --dropout: its random numbers belong to one process; leave it out, and see --weight-decay',
    );
  checkOutput(output);
}

/** The layers that there are over several ranks. */
const layerKinds = ['factored', 'full', 'sampled', 'nce', 'negative'] as const;
type DistributableChoice = Extract<OutputLayerChoice, { readonly kind: (typeof layerKinds)[number] }>;

function checkOutput(output: OutputLayerChoice): asserts output is DistributableChoice {
  const kinds: readonly string[] = layerKinds;
  if (!kinds.includes(output.kind)) {
    throw new UsageError(
      `--distributed has no output layer '${output.kind}' over several ranks; use --output-layer factored, with any of its losses, full, sampled, nce or negative`,
    );
  }
  if (output.kind === 'full' && (output.labelSmoothing ?? 0) > 0)
    throw new UsageError('--distributed has no --label-smoothing; leave it out');
  if ('sharing' in output && output.sharing === 'example')
    throw new UsageError('--distributed draws samples for the minibatch of all ranks; leave --sharing example out');
}
