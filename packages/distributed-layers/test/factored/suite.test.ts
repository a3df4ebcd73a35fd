/** With one rank the layer must be an output layer like any other. */
import { createPlainBackend, read } from '@vastmax/linalg-core';
import { createSingleCommunicator } from '@vastmax/collectives';
import { createDistributedFactoredLayer, type DistributedFactoredLayer } from '@vastmax/distributed-layers';
import {
  describeOutputLayer,
  type LayerCall,
  type LayerRequest,
  type LayerUnderTest,
} from '@vastmax/output-layer/suite';
import { sphericalSoftmax, zLoss, type SphericalLoss } from '@vastmax/spherical-losses';
import { DenseReference, type ReferenceLoss } from '@vastmax/spherical-losses/testing';

const probeRequest: LayerRequest = { classes: 7, features: 3, seed: 1 };

/** What the layer can do beyond the interface. */
const moreCalls: readonly LayerCall<DistributedFactoredLayer>[] = [
  { name: 'own topK', start: (layer, hidden) => layer.topK(hidden, 2) },
  { name: 'own ranksOf', start: (layer, hidden, classes) => layer.ranksOf(hidden, classes) },
  { name: 'verify', start: (layer) => layer.verify() },
  { name: 'materialize', start: (layer) => layer.materialize() },
  {
    name: 'denseRows',
    isSynchronous: true,
    start: (layer) => {
      using out = layer.backend.createMatrix(4, layer.width);
      layer.denseRows(1, out);
      return read(out);
    },
  },
  {
    name: 'addClasses',
    isSynchronous: true,
    isFinal: true,
    start: (layer) => {
      const hasConstants = layer.loss.classConstants !== undefined;
      layer.addClasses(new Float64Array(2 * layer.width).fill(0.3), hasConstants ? [0.5, 0.6] : undefined);
    },
  },
];

const probabilityCalls: readonly LayerCall<DistributedFactoredLayer>[] = [
  {
    name: 'classLogProbabilities',
    start: async (layer, hidden, classes) => {
      using out = layer.backend.createMatrix(hidden.rows, 1);
      await layer.classLogProbabilities(hidden, classes, out);
      return read(out);
    },
  },
  {
    name: 'logProbabilities',
    start: async (layer, hidden) => {
      using out = layer.backend.createMatrix(hidden.rows, 3);
      await layer.logProbabilities(hidden, 2, out);
      return read(out);
    },
  },
];

function subject(
  name: string,
  loss: (request: LayerRequest) => SphericalLoss,
  reference?: ReferenceLoss,
): LayerUnderTest<DistributedFactoredLayer> {
  return {
    name,
    moreCalls: [...moreCalls, ...(loss(probeRequest).isNormalized ? probabilityCalls : [])],
    backend: () => createPlainBackend({ precision: 'f64' }),
    create: (backend, request) =>
      createDistributedFactoredLayer(createSingleCommunicator(), backend, {
        classes: request.classes,
        features: request.features,
        seed: request.seed,
        initialScale: 0.3,
        bias: false,
        loss: loss(request),
      }),
    ...(reference === undefined
      ? {}
      : {
          reference: {
            readWeights: async (layer: DistributedFactoredLayer) => {
              using out = layer.backend.createMatrix(layer.classes, layer.width);
              layer.denseRows(0, out);
              return read(out);
            },
            createTwin: (weights: Float64Array, request: LayerRequest) => {
              const dense = new DenseReference(weights, request.features, reference);
              return {
                weights: dense.weights,
                step: (hidden, targets, { learningRate, exampleWeights }) =>
                  dense.step(hidden, targets, learningRate, exampleWeights === undefined ? {} : { exampleWeights }),
              };
            },
          },
        }),
  };
}

describeOutputLayer(subject('distributed over one rank, Z-loss', () => zLoss(), { name: 'z-loss', a: 0.1, b: 10 }));
describeOutputLayer(
  subject('distributed over one rank, spherical softmax with an epsilon for each class', ({ classes }) =>
    sphericalSoftmax({ epsilon: Float64Array.from({ length: classes }, (_, k) => 0.2 + 3 / (k + 1)) }),
  ),
);
