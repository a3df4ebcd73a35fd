/**
 * The hybrid layer over many ranks: the layer of one process, whose parts are layers over the ranks. The head, a few
 * hundred classes, is on every rank and its gradient is summed; the classes of a tail are shared out. Its rules are
 * those of one process; what is added is that the ranks announce each call (mathematics.md §6).
 */
import type { Communicator } from '@vastmax/collectives';
import { createFromPlan, planHybridLayer, type TailPlan } from '@vastmax/hybrid-layer/layer-parts';
import type { HybridOutputLayer, HybridOutputLayerOptions, HybridTail } from '@vastmax/hybrid-layer';
import type { Backend } from '@vastmax/linalg-core';
import { CollectivePreflight, localErrorOf } from '../factored/collective-preflight.ts';
import { compareOptions } from '../factored/compare-options.ts';
import { createDistributedFactoredLayer } from '../factored/create-distributed-layer.ts';
import type { ReplicaOptions } from '../subtrees/replica-options.ts';
import { createShardedTreeSoftmax, createSubtreeLayer } from '../subtrees/sharded-tree-layers.ts';
import { createHeadParts } from './head-parts.ts';
import { SphericalTail } from './spherical-tail.ts';

/** Options of `createHybridOutputLayer`, which is the same layer in one process; the same on every rank. */
export interface DistributedHybridLayerOptions extends HybridOutputLayerOptions, ReplicaOptions {}

/**
 * `createHybridOutputLayer` over the ranks. A collective: all ranks, the same options. Every rank has the head; the nodes
 * below the root of a tree, or the classes of a spherical tail, are shared out. A step of a rank with t examples in the
 * tail sends 2(F + n)d(p − 1)/p + 2t(d + 1) numbers for a head of F classes and a root of n rows, together about 2,400
 * whatever the number of classes is; with a spherical tail 2Fd(p − 1)/p and what a factored step of t examples sends.
 * At most 10(p − 1) messages. Classes cannot be added over ranks.
 * @throws OutputLayerError `bad-option`, `non-finite` on every rank when one has invalid options or they differ.
 */
export async function createDistributedHybridLayer(
  communicator: Communicator,
  backend: Backend,
  options: DistributedHybridLayerOptions,
): Promise<HybridOutputLayer> {
  const preflight = new CollectivePreflight(communicator);
  let plan: ReturnType<typeof planHybridLayer> | undefined;
  const localError = localErrorOf(undefined, () => {
    plan = planHybridLayer(options);
  });
  preflight.begin('create', { localError, same: { bits: backend.precision === 'f32' ? 32 : 64 } });
  compareOptions(communicator, 'hybrid', options);
  if (plan === undefined) throw localError;
  const { checkEvery, onReplicaDrift } = options;
  const replicas = {
    ...(checkEvery === undefined ? {} : { checkEvery }),
    ...(onReplicaDrift === undefined ? {} : { onReplicaDrift }),
  };
  return createFromPlan(plan, {
    head: (head) =>
      createSubtreeLayer(communicator, backend, 'head of a hybrid layer', { ...head, ...replicas }, () =>
        createHeadParts(communicator, backend, head),
      ),
    tail: (tail) => createTail(communicator, backend, tail, replicas),
    ranks: {
      shard: { rank: communicator.rank, size: communicator.size },
      begin: (operation, callError, examples) =>
        preflight.begin(operation, { localError: callError, same: {}, examples }).totalExamples,
    },
  });
}

async function createTail(
  communicator: Communicator,
  backend: Backend,
  tail: TailPlan,
  replicas: ReplicaOptions,
): Promise<HybridTail> {
  if (tail.kind === 'tree') return createShardedTreeSoftmax(communicator, backend, { ...tail.options, ...replicas });
  return new SphericalTail(
    await createDistributedFactoredLayer(communicator, backend, { ...tail.options, ...replicas }),
  );
}
