import type { Backend } from '@vastmax/linalg-core';
import { checkOptions } from '@vastmax/spherical-losses/factored-parts';
import type { Communicator } from '@vastmax/collectives';
import { Agreement } from './agreement.ts';
import { DistributedFactoredLayer } from './distributed-layer.ts';
import type { DistributedFactoredLayerOptions } from './layer-options.ts';
import { createTogether } from './together.ts';

/**
 * Create the layer. A collective: all ranks, the same options. Memory of each rank: 4Dd/p bytes for its rows (8Dd/p on
 * an f64 backend), 4D/p for their generations, O(d²); with class constants 4D. Time: O(D·d²/p) once.
 * @throws OutputLayerError `bad-option` on every rank when one has bad options or they differ.
 */
export async function createDistributedFactoredLayer(
  communicator: Communicator,
  backend: Backend,
  options: DistributedFactoredLayerOptions,
): Promise<DistributedFactoredLayer> {
  const agreement = new Agreement(communicator);
  return createTogether(agreement, backend, {
    options,
    create: () => {
      checkOptions(options);
      return new DistributedFactoredLayer(communicator, backend, options, agreement);
    },
    fill: (layer) => {
      layer.fill();
    },
    finish: (layer) => layer.rebuildGram(),
  });
}
