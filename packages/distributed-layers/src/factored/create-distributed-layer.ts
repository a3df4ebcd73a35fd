import type { Communicator } from '@vastmax/collectives';
import type { Backend } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import { checkOptions } from '@vastmax/spherical-losses/factored-parts';
import { CollectivePreflight, createCollectively } from './collective-preflight.ts';
import { DistributedFactoredLayer } from './distributed-factored-layer.ts';
import type { DistributedFactoredLayerOptions } from './layer-options.ts';

/**
 * Creates the layer. A collective: all ranks, the same options. Memory of each rank: 4Dd/p bytes for its rows (8Dd/p on
 * an f64 backend), 4D/p for their epochs, O(d²); with class constants 4D. Time: O(D·d²/p) once.
 * @throws OutputLayerError `bad-option` on every rank when one has invalid options or they differ.
 */
export async function createDistributedFactoredLayer(
  communicator: Communicator,
  backend: Backend,
  options: DistributedFactoredLayerOptions,
): Promise<DistributedFactoredLayer> {
  const preflight = new CollectivePreflight(communicator);
  return createCollectively(preflight, backend, {
    kind: 'factored',
    options,
    create: () => {
      checkOptions(options);
      if ('preconditioner' in options && options.preconditioner !== undefined)
        throw new OutputLayerError(
          'bad-option',
          'distributed factored layer: there is no preconditioned step over ranks; leave preconditioner out, or train in one process',
        );
      return new DistributedFactoredLayer(communicator, backend, options, preflight);
    },
    fill: (layer) => {
      layer.fill();
    },
    finish: (layer) => layer.rebuildGram(),
  });
}
