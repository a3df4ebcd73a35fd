import { createHostArray, read } from '@vastmax/linalg-core';
import type { TensorSource } from '@vastmax/linalg-core/state';
import type { OutputLayer } from '@vastmax/output-layer';

/** What of an output layer the vectors of its classes are computed with. */
export type ClassVectorSource = Pick<OutputLayer, 'backend' | 'classes' | 'features' | 'classVectors'>;

/**
 * The vectors of an output layer's classes (the rows of W, without a bias) as a tensor that is computed block by block
 * when it is read. Reads are serialized with all other calls of the layer; the array is reused. O(count·d²) per read
 * for the factored layer.
 */
export function classVectorTensor(name: string, layer: ClassVectorSource): TensorSource {
  const { backend, classes, features } = layer;
  let host = createHostArray(backend, 0);
  return {
    name,
    precision: backend.precision,
    rows: classes,
    columns: features,
    read: async (first, count) => {
      using vectors = backend.createMatrix(count, features);
      layer.classVectors(first, vectors);
      if (host.length !== count * features) host = createHostArray(backend, count * features);
      await read(vectors, host);
      return host;
    },
  };
}
