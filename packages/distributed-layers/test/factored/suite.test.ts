/** With one rank the layer must be an output layer like any other. */
import { createPlainBackend, read } from '@vastmax/linalg-core';
import { createSingleCommunicator } from '@vastmax/collectives';
import { createDistributedFactoredLayer, type DistributedFactoredLayer } from '@vastmax/distributed-layers';
import { describeOutputLayer, type LayerRequest, type LayerUnderTest } from '@vastmax/output-layer/suite';
import { sphericalSoftmax, zLoss, type SphericalLoss } from '@vastmax/spherical-losses';
import { DenseReference, type ReferenceLoss } from '@vastmax/spherical-losses/testing';

function subject(
  name: string,
  loss: (request: LayerRequest) => SphericalLoss,
  reference?: ReferenceLoss,
): LayerUnderTest<DistributedFactoredLayer> {
  return {
    name,
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
