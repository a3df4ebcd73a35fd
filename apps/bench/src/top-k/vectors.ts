/** What is searched: class vectors of a layer trained on Zipf targets, and random vectors, which bounds hardly exclude. */
import { createMatrixFrom, write, type Backend } from '@vastmax/linalg-core';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, zLoss } from '@vastmax/spherical-losses';

export interface SearchedVectors {
  readonly data: 'trained' | 'random';
  /** N×width. */
  readonly vectors: Float32Array;
  /** queries×width. */
  readonly queries: Float32Array;
}

export interface VectorSizes {
  readonly count: number;
  readonly width: number;
  readonly queries: number;
  readonly seed: number;
}

export function randomVectors({ count, width, queries, seed }: VectorSizes): SearchedVectors {
  const random = new RandomGenerator(seed);
  const block = new Float64Array(1024 * width);
  const normals = (rows: number): Float32Array => {
    const values = new Float32Array(rows * width);
    for (let at = 0; at < values.length; at += block.length) {
      const part = block.subarray(0, Math.min(block.length, values.length - at));
      random.normals(part);
      values.set(part, at);
    }
    return values;
  };
  return { data: 'random', vectors: normals(count), queries: normals(queries) };
}

const batch = 256;
const clusters = 1000;

/**
 * The rows of W of a factored layer with the Z-loss, the bias last, after so many seconds of training; queries are
 * held-out examples. Hidden activations are the direction of a class, of which half is that of its cluster, and noise.
 */
export async function trainedVectors(
  backend: Backend,
  { count, width, queries, seed }: VectorSizes,
  seconds: number,
  show: (detail: string) => void,
): Promise<SearchedVectors> {
  const features = width - 1;
  using layer = await createFactoredOutputLayer(backend, {
    classes: count,
    features,
    loss: zLoss({ a: 0.1, b: 10 }),
    seed,
  });
  const random = new RandomGenerator(seed + 1);
  const examples = (rows: number): { hidden: Float64Array; classes: Int32Array } => {
    const hidden = new Float64Array(rows * features);
    const classes = new Int32Array(rows);
    const part = new Float64Array(features);
    for (let row = 0; row < rows; row++) {
      // Zipf's law with exponent 1, by inversion.
      const target = Math.min(count - 1, Math.floor((count + 1) ** random.uniform()) - 1);
      classes[row] = target;
      const out = hidden.subarray(row * features, (row + 1) * features);
      random.normals(out, 0.5);
      for (const stream of [target % clusters, clusters + target]) {
        new RandomGenerator(stream).normals(part, 0.5);
        for (let j = 0; j < features; j++) out[j]! += part[j]!;
      }
      for (let j = 0; j < features; j++) out[j] = Math.tanh(out[j]!);
    }
    return { hidden, classes };
  };
  using hidden = backend.createMatrix(batch, features);
  const start = performance.now();
  for (let steps = 0; performance.now() - start < 1000 * seconds; steps++) {
    const next = examples(batch);
    write(next.hidden, hidden);
    await layer.step(hidden, singleTargets(next.classes, count), { learningRate: 1 });
    if (steps % 100 === 0) show(`${steps} steps`);
  }
  const vectors = new Float32Array(count * width);
  const rowsPerBlock = 4096;
  using rows = createMatrixFrom(backend, rowsPerBlock, width, new Float32Array(rowsPerBlock * width));
  for (let first = 0; first < count; first += rowsPerBlock) {
    const size = Math.min(rowsPerBlock, count - first);
    layer.denseRows(first, rows.resize(size, width));
    const host = new Float32Array(size * width);
    await backend.read(rows, host);
    vectors.set(host, first * width);
  }
  const held = examples(queries).hidden;
  const values = new Float32Array(queries * width).fill(1);
  for (let i = 0; i < queries; i++) values.set(held.subarray(i * features, (i + 1) * features), i * width);
  return { data: 'trained', vectors, queries: values };
}
