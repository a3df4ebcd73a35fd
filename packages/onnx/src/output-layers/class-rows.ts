/**
 * Rows of weights with the bias last, as a product in the graph: rows×d weights and rows biases. Rows are read once: the
 * biases of the blocks are kept while the weights are written, 4 bytes a row.
 */
import { createHostArray, read } from '@vastmax/linalg-core';
import type { TensorSource } from '@vastmax/linalg-core/state';
import type { OutputLayer } from '@vastmax/output-layer';
import type { FactoredOutputLayer } from '@vastmax/spherical-losses';
import type { Graph } from '../graph.ts';

/** hidden·rowsᵀ (+ biases), batch×rows. @param source rows×features, or rows×(features + 1). */
export function addProduct(graph: Graph, name: string, hidden: string, source: TensorSource, features: number): string {
  if (source.columns === features)
    return graph.node('Gemm', [hidden, graph.weights(name, source)], { transB: { int: 1 } });
  const { weights, biases } = splitBiases(source, features);
  return graph.node(
    'Gemm',
    [hidden, graph.weights(name, weights), graph.weights(`${name}.biases`, biases, [source.rows])],
    { transB: { int: 1 } },
  );
}

function splitBiases(source: TensorSource, features: number): { weights: TensorSource; biases: TensorSource } {
  const { rows, columns, precision, name } = source;
  const kept = new Float32Array(rows);
  let known = 0;
  const readWeights = async (first: number, count: number): Promise<Float32Array> => {
    const values = await source.read(first, count);
    const weights = new Float32Array(count * features);
    for (let row = 0; row < count; row++) {
      weights.set(values.subarray(row * columns, row * columns + features), row * features);
      kept[first + row] = values[row * columns + features]!;
    }
    if (first === known) known += count;
    return weights;
  };
  return {
    weights: { name, precision: 'f32', rows, columns: features, read: readWeights },
    biases: {
      name: `${name}.biases`,
      precision: precision === 'i32' ? 'i32' : 'f32',
      rows,
      columns: 1,
      read: async (first, count) => {
        if (first + count > known) await readWeights(first, count);
        return kept.subarray(first, first + count);
      },
    },
  };
}

/** The rows W of a factored layer, multiplied out block by block when they are read. O(count·d²) a block. */
export function denseRowsOf(layer: FactoredOutputLayer): TensorSource {
  return computedRows('classes', layer, layer.width, (first, out) => {
    layer.denseRows(first, out);
  });
}

/** What a layer computes for each class, as a tensor. @param compute classes `first` …, count×columns. */
export function computedRows(
  name: string,
  { backend, classes }: OutputLayer,
  columns: number,
  compute: (first: number, out: ReturnType<OutputLayer['backend']['createMatrix']>) => void,
): TensorSource {
  return {
    name,
    precision: backend.precision,
    rows: classes,
    columns,
    read: async (first, count) => {
      using rows = backend.createMatrix(count, columns);
      compute(first, rows);
      const host = createHostArray(backend, count * columns);
      await read(rows, host);
      return host;
    },
  };
}
