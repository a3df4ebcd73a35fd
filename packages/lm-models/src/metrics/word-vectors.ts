import { gatherRows, read, writeIndices, type RowTable } from '@vastmax/linalg-core';
import type { OutputLayer } from '@vastmax/output-layer';

/** The rows of an embedding table, in the order of `ids`. O(ids · width). */
export async function readEmbeddings(table: RowTable, ids: Int32Array): Promise<Float64Array[]> {
  using indices = table.backend.createIndices(ids.length);
  using rows = table.backend.createMatrix(ids.length, table.columns);
  writeIndices(ids, indices);
  gatherRows(table, indices, rows);
  const values = Float64Array.from(await read(rows));
  return Array.from(ids, (_, i) => values.subarray(i * table.columns, (i + 1) * table.columns));
}

/** The vectors of classes, in the order of `ids`. O(ids · d²) for the factored layer, a call each. */
export async function readClassVectors(layer: OutputLayer, ids: Int32Array): Promise<Float64Array[]> {
  using vector = layer.backend.createMatrix(1, layer.features);
  const vectors: Float64Array[] = [];
  for (const id of ids) {
    layer.classVectors(id, vector);
    vectors.push(Float64Array.from(await read(vector)));
  }
  return vectors;
}
