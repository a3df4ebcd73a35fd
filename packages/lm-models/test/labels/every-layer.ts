/** An output layer of each kind and loss, small. */
import { createOutputLayer, outputLayerNames, trainingDefaults, type OutputLayerChoice } from '@vastmax/lm-models';
import type { Backend } from '@vastmax/linalg-core';
import type { OutputLayer } from '@vastmax/output-layer';
import { builtInLossNames } from '@vastmax/spherical-losses';

const options: Readonly<Record<string, object>> = {
  hybrid: { headSize: 10, cutoffs: [20] },
  adaptive: { cutoffs: [5, 20], divValue: 2 },
  sampled: { samples: 12, proposal: 'unigram', power: 0.75 },
  nce: { samples: 12, proposal: 'log-uniform' },
  negative: { samples: 12, proposal: 'uniform' },
  rf: { samples: 6, temperature: 9, frequencies: 32, nu: 3 },
  quadratic: { samples: 6, alpha: 50 },
};

export const classes = 40;
export const features = 4;

export const everyChoice: readonly (readonly [name: string, choice: OutputLayerChoice])[] = [
  ...builtInLossNames.map(
    (name) =>
      [
        name,
        {
          kind: 'factored' as const,
          loss: { name, options: trainingDefaults(name).lossOptions },
          initialScale: 0.3,
          seed: 5,
        },
      ] as const,
  ),
  ...outputLayerNames
    .filter((kind) => kind !== 'factored')
    .map((kind) => [kind, { kind, initialScale: 0.3, seed: 5, ...options[kind] } as OutputLayerChoice] as const),
];

export function createLayer(backend: Backend, choice: OutputLayerChoice): Promise<OutputLayer> {
  const frequencies = Float64Array.from({ length: classes }, (_, k) => Math.ceil(1000 / (k + 1)));
  return createOutputLayer(backend, { features, frequencies }, choice);
}
