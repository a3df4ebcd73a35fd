/** The layers whose subtrees are shared out over ranks: one layer with two shapes of the tree. */
import type { Communicator } from '@vastmax/collectives';
import type { Backend } from '@vastmax/linalg-core';
import type { TreeSoftmaxOptions, SoftmaxLayerOptions } from '@vastmax/softmax-losses';
import { weightOptions } from '@vastmax/softmax-losses/layer-parts';
import { CollectivePreflight, createCollectively } from '../factored/collective-preflight.ts';
import { createClusterParts, type ClusterOptions } from './cluster-parts.ts';
import type { ReplicaOptions } from './replica-options.ts';
import { SubtreeParallelLayer } from './subtree-parallel-layer.ts';
import type { SubtreeParts } from './subtree-parts.ts';
import { createTreeParts } from './tree-parts.ts';

/** Options of `createTreeSoftmaxLayer`, which is the same layer in one process; the same on every rank. */
export interface ShardedTreeSoftmaxOptions extends TreeSoftmaxOptions, ReplicaOptions {}

/**
 * Options of `createHierarchicalSoftmaxLayer` with clusters by frequency, which is the same layer in one process; the
 * same on every rank.
 */
export interface ShardedHierarchicalSoftmaxOptions extends ClusterOptions, ReplicaOptions {}

/**
 * `createTreeSoftmaxLayer` with the subtrees below the root shared out over the ranks. A collective: all ranks, the same
 * options. Memory of each rank: its share of the rows, the root, and the rule's moments. O(D·d) once.
 * @throws OutputLayerError `bad-option` on every rank when one has invalid options or they differ.
 */
export async function createShardedTreeSoftmax(
  communicator: Communicator,
  backend: Backend,
  options: ShardedTreeSoftmaxOptions,
): Promise<SubtreeParallelLayer> {
  return createSubtreeLayer(communicator, backend, 'tree softmax', options, () =>
    createTreeParts(communicator, backend, options),
  );
}

/**
 * `createHierarchicalSoftmaxLayer` with the clusters shared out over the ranks, as {@link createShardedTreeSoftmax}. The
 * rows of the clusters, √D of them, are on every rank, and their gradient is summed in each step: what a rank sends
 * grows with √D.
 * @throws OutputLayerError `bad-option`.
 */
export async function createShardedHierarchicalSoftmax(
  communicator: Communicator,
  backend: Backend,
  options: ShardedHierarchicalSoftmaxOptions,
): Promise<SubtreeParallelLayer> {
  return createSubtreeLayer(communicator, backend, 'hierarchical softmax', options, () =>
    createClusterParts(communicator, backend, options),
  );
}

/** @param createParts throws when the options are invalid. No collective. */
export function createSubtreeLayer(
  communicator: Communicator,
  backend: Backend,
  kind: string,
  options: SoftmaxLayerOptions & ReplicaOptions,
  createParts: () => SubtreeParts,
): Promise<SubtreeParallelLayer> {
  const preflight = new CollectivePreflight(communicator);
  return createCollectively(preflight, backend, {
    kind,
    options,
    create: () => {
      const parts = createParts();
      const { reduction = 'mean', checkEvery, onReplicaDrift } = options;
      return new SubtreeParallelLayer(
        communicator,
        parts,
        {
          rule: weightOptions(options).rule,
          reduction,
          ...(checkEvery === undefined ? {} : { checkEvery }),
          ...(onReplicaDrift === undefined ? {} : { onReplicaDrift }),
        },
        preflight,
      );
    },
    finish: () => backend.synchronize(),
  });
}
