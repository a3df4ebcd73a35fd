/**
 * Every layer of this package that computes exact probabilities, each from the same few numbers, for tests of what they
 * have in common.
 */
import { createMatrixFrom, read, type Backend } from '@vastmax/linalg-core';
import { singleTargets } from '@vastmax/sparse-data';
import {
  createAdaptiveSoftmaxLayer,
  createFullSoftmaxLayer,
  createHierarchicalSoftmaxLayer,
  createHuffmanSoftmaxLayer,
  type SoftmaxLayer,
  type SoftmaxLayerOptions,
} from '@vastmax/softmax-losses';

export interface LayerKind {
  readonly name: string;
  create(backend: Backend, options: SoftmaxLayerOptions, frequencies: Float64Array): Promise<SoftmaxLayer>;
}

export const layerKinds: readonly LayerKind[] = [
  { name: 'full', create: (backend, options) => createFullSoftmaxLayer(backend, { ...options, blockClasses: 5 }) },
  {
    name: 'hierarchical',
    create: (backend, options, frequencies) => createHierarchicalSoftmaxLayer(backend, { ...options, frequencies }),
  },
  {
    name: 'huffman',
    create: (backend, options, frequencies) => createHuffmanSoftmaxLayer(backend, { ...options, frequencies }),
  },
  {
    name: 'adaptive',
    create: (backend, options, frequencies) => createAdaptiveSoftmaxLayer(backend, { ...options, frequencies }),
  },
];

/** Some in an order of their own, some equal, some never seen. */
export function frequenciesFor(classes: number): Float64Array {
  return Float64Array.from({ length: classes }, (_, k) => ((k * 13) % classes) % 7);
}

/** log p of every class for every example, from the losses: m×D. */
export async function logProbabilities(layer: SoftmaxLayer, hidden: ArrayLike<number>): Promise<Float64Array> {
  const m = hidden.length / layer.features;
  using placed = createMatrixFrom(layer.backend, m, layer.features, hidden);
  const result = new Float64Array(m * layer.classes);
  for (let target = 0; target < layer.classes; target++) {
    const losses = await read(
      await layer.evaluate(placed, singleTargets(new Int32Array(m).fill(target), layer.classes)),
    );
    for (let example = 0; example < m; example++) result[example * layer.classes + target] = -losses[example]!;
  }
  return result;
}
