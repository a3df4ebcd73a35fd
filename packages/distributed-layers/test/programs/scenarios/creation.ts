/** The last rank creates its layer with another option; each refusal is what every rank hears. */
import type { Communicator } from '@vastmax/collectives';
import {
  createShardedNegativeSampling,
  createShardedSampledSoftmax,
  createVocabularyParallelSoftmax,
} from '@vastmax/distributed-layers';
import { createPlainBackend } from '@vastmax/linalg-core';
import { isOutputLayerError } from '@vastmax/output-layer';
import { sphericalSoftmax, zLoss } from '@vastmax/spherical-losses';
import { adamRule, momentumRule, sgdRule } from '@vastmax/update-rules';
import { createSmallLayer } from './small-layer.ts';

export interface CreationRefusal {
  readonly code: string | undefined;
  readonly message: string;
}

export async function creation(communicator: Communicator): Promise<readonly CreationRefusal[]> {
  const isOther = communicator.rank === communicator.size - 1;
  const backend = createPlainBackend({ precision: 'f64' });
  const sizes = { classes: 20, features: 3 };
  const attempts: readonly (() => Promise<Disposable>)[] = [
    () => createSmallLayer(communicator, { seed: isOther ? 2 : 1 }),
    () => createSmallLayer(communicator, { loss: zLoss({ a: isOther ? 0.2 : 0.1 }) }),
    () => createSmallLayer(communicator, { loss: isOther ? sphericalSoftmax() : zLoss() }),
    () => createSmallLayer(communicator, { weightDecay: isOther ? 0.1 : 0 }),
    () => createSmallLayer(communicator, { checkEvery: isOther ? 10 : 100 }),
    () => createSmallLayer(communicator, isOther ? { reduction: 'sum' } : {}),
    () =>
      createSmallLayer(communicator, {
        loss: sphericalSoftmax({ epsilon: Float64Array.from({ length: 61 }, (_, k) => (isOther && k === 60 ? 2 : 1)) }),
      }),
    () =>
      createVocabularyParallelSoftmax(communicator, backend, {
        ...sizes,
        initialBiases: Float64Array.from({ length: 20 }, (_, k) => (isOther && k === 7 ? 1 : 0)),
      }),
    () => createVocabularyParallelSoftmax(communicator, backend, { ...sizes, rule: isOther ? adamRule() : sgdRule() }),
    () =>
      createVocabularyParallelSoftmax(communicator, backend, {
        ...sizes,
        rule: momentumRule({ momentum: isOther ? 0.8 : 0.9 }),
      }),
    () => createShardedSampledSoftmax(communicator, backend, { ...sizes, samples: isOther ? 6 : 5 }),
    () =>
      isOther
        ? createShardedNegativeSampling(communicator, backend, { ...sizes, samples: 5 })
        : createVocabularyParallelSoftmax(communicator, backend, sizes),
    // Only JavaScript can ask for it.
    () => createSmallLayer(communicator, { preconditioner: { power: 1 } } as object),
  ];
  const found: CreationRefusal[] = [];
  for (const attempt of attempts) {
    try {
      using layer = await attempt();
      found.push({ code: undefined, message: `created ${String(layer)}` });
    } catch (error) {
      if (!isOutputLayerError(error)) throw error;
      found.push({ code: error.code, message: error.message });
    }
  }
  // The ranks are still in step.
  using layer = await createSmallLayer(communicator);
  await layer.verify();
  return found;
}
