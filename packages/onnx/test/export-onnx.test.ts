import { createMemoryStorage, type MemoryStorage } from '@vastmax/checkpoints';
import { createPlainBackend, read, write, type Backend, type Matrix } from '@vastmax/linalg-core';
import {
  createNetwork,
  type BodyKind,
  type NetworkOf,
  type NetworkOptions,
  type OutputLayerChoice,
  type OutputLayerFactory,
} from '@vastmax/lm-models';
import { createTreeSoftmaxLayer } from '@vastmax/softmax-losses';
import { csrFromLists, RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { exportOnnx } from '../src/export-onnx.ts';
import { runModel, type Feeds } from './runtimes.ts';

const inputs = 20;
const classes = 37;
const zLoss: OutputLayerChoice = {
  kind: 'factored',
  loss: { name: 'z-loss', options: { a: 0.1, b: 10 } },
  initialScale: 0.1,
  seed: 1,
};
// Not in the order of the classes, as those of a user's own labels.
const frequencies = Float64Array.from({ length: classes }, (_, i) => 1 + ((i * 7) % classes));

type AnyNetwork = Pick<NetworkOf<BodyKind>, 'output' | 'backend'>;

async function createTrained<Kind extends BodyKind>(
  body: NetworkOptions<Kind>['body'],
  output: OutputLayerChoice = zLoss,
  backend: Backend = createPlainBackend(),
  createOutput?: OutputLayerFactory,
): Promise<NetworkOf<Kind>> {
  const isHybrid = output.kind === 'hybrid';
  const network = await createNetwork<Kind>(
    backend,
    { inputs, frequencies: isHybrid ? frequencies.toSorted().reverse() : frequencies },
    { body, output },
    createOutput,
  );
  // Biases and gains of a new body are zeros and ones, which would hide one that is left out.
  const random = new RandomGenerator(3);
  for (const { value } of network.body.parameters.matrices)
    write(
      Float64Array.from({ length: value.rows * value.columns }, () => 0.5 * random.normal()),
      value,
    );
  const hidden = backend.createMatrix(5, network.body.features);
  for (let step = 0; step < 4; step++) {
    write(
      Float64Array.from({ length: 5 * hidden.columns }, () => random.normal()),
      hidden,
    );
    await network.output.step(
      hidden,
      singleTargets(
        Int32Array.from({ length: 5 }, (_, i) => (step * 11 + i * 5) % classes),
        classes,
      ),
      { learningRate: 0.2 },
    );
  }
  return network;
}

async function scoresOf({ backend, output }: AnyNetwork, hidden: Matrix): Promise<Float64Array> {
  const scores = backend.createMatrix(hidden.rows, output.classes);
  output.scores(hidden, 0, scores);
  return Float64Array.from(await read(scores));
}

/** Every score within 1e-5 of the largest, and the best classes those of the scores. */
async function expectSame(
  network: AnyNetwork,
  storage: MemoryStorage,
  feeds: Feeds,
  expected: Float64Array,
  runtimes: readonly ('node' | 'web')[] = ['node', 'web'],
): Promise<void> {
  const { classes: size } = network.output;
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const runtime of runtimes) {
    const { scores, best, places } = await runModel(runtime, storage, 'model.onnx', feeds);
    expect(scores).toHaveLength(expected.length);
    const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - scores[i]!)), 0);
    expect(worst / scale, runtime).toBeLessThan(1e-5);
    for (let i = 0; i < best.length; i++) {
      const own = Array.from(scores.subarray(Math.floor(i / 3) * size, Math.floor(i / 3 + 1) * size));
      expect(best[i]).toBe(own.toSorted((a, b) => b - a)[i % 3]);
      expect(own[places[i]!]).toBe(best[i]);
    }
  }
}

const int32 = (values: readonly number[], shape: readonly number[]): Feeds[string] => ({
  values: Int32Array.from(values),
  shape,
});

describe('the scores of every body', () => {
  const prompts = [[3, 1, 4, 1, 5], [9, 2, 6], [7]];

  it('of an n-gram body', async () => {
    using network = await createTrained({ kind: 'ngram', order: 3, embedding: 4, hidden: [6, 5], activation: 'gelu' });
    const storage = createMemoryStorage();
    const { inputs: described, files } = await exportOnnx(network, storage, 'model.onnx', {
      top: 3,
      classNames: Array.from({ length: classes }, (_, i) => `class ${i}`),
    });
    expect(described.map(({ name, shape }) => [name, shape])).toEqual([['words', ['batch', 3]]]);
    expect(files.map(({ name }) => name)).toEqual(['model.onnx', 'model.onnx.json']);
    expect(JSON.parse((await storage.files.get('model.onnx.json')?.text()) ?? '')).toMatchObject({
      opset: 17,
      classes: expect.arrayContaining(['class 36']) as unknown,
    });
    const words = [3, 1, 4, 1, 5, 9];
    const hidden = network.computeHidden({ contexts: Int32Array.from(words), size: 2 });
    await expectSame(network, storage, { words: int32(words, [2, 3]) }, await scoresOf(network, hidden));
  });

  it.each([
    ['unit', 'relu'],
    ['mean', 'identity'],
    ['sum', 'tanh'],
  ] as const)('of a bag body, %s and %s', async (pooling, activation) => {
    using network = await createTrained({ kind: 'bag', embedding: 6, pooling, activation, hidden: [5] });
    const storage = createMemoryStorage();
    await exportOnnx(network, storage, 'model.onnx', { top: 3 });
    const sets = [[3, 1, 4, 15], [9], []];
    const csr = csrFromLists(sets, inputs);
    const values = Float64Array.from({ length: 5 }, (_, i) => 0.5 + i);
    const hidden = network.computeHidden({ inputs: { ...csr, values } });
    // The columns of a row of the sparse matrix, in its order.
    const padded = new Int32Array(12);
    const weights = new Float32Array(12);
    for (let row = 0; row < 3; row++)
      for (let at = csr.offsets[row]!; at < csr.offsets[row + 1]!; at++) {
        padded[row * 4 + at - csr.offsets[row]!] = csr.indices[at]!;
        weights[row * 4 + at - csr.offsets[row]!] = values[at]!;
      }
    const shape = [3, 4];
    await expectSame(
      network,
      storage,
      { inputs: { values: padded, shape }, weights: { values: weights, shape } },
      await scoresOf(network, hidden),
    );
  });

  it('of a dense body', async () => {
    using network = await createTrained({ kind: 'dense', hidden: [7, 5], layerNorm: true, inputScale: 3 });
    const storage = createMemoryStorage();
    await exportOnnx(network, storage, 'model.onnx', { top: 3 });
    const values = Float32Array.from({ length: 2 * inputs }, (_, i) => Math.sin(i));
    const hidden = network.computeHidden({ inputs: { rows: 2, columns: inputs, values } });
    await expectSame(network, storage, { vectors: { values, shape: [2, inputs] } }, await scoresOf(network, hidden));
  });

  it.each([
    { kind: 'recurrent', cell: 'lstm', embedding: 4, hidden: [6, 5] },
    { kind: 'recurrent', cell: 'gru', embedding: 4, hidden: [6, 5] },
    { kind: 'transformer', embedding: 8, layers: 2, heads: 2, context: 6 },
    {
      kind: 'transformer',
      embedding: 8,
      layers: 1,
      heads: 2,
      context: 6,
      positions: 'learned',
      norm: 'rms',
      activation: 'swiglu',
    },
  ] as const)('of sequences: $kind $cell $positions', async (body) => {
    using network = await createTrained(body);
    const storage = createMemoryStorage();
    await exportOnnx(network, storage, 'model.onnx', { top: 3 });
    const words = prompts.flatMap((prompt) => [...prompt, ...new Array<number>(5 - prompt.length).fill(0)]);
    const feeds = {
      words: int32(words, [3, 5]),
      lengths: int32(
        prompts.map(({ length }) => length),
        [3],
      ),
    };
    await expectSame(network, storage, feeds, await scoresOf(network, network.computePromptHidden(prompts)));
  });
});

describe('the scores of every output layer', () => {
  const common = { initialScale: 0.3, seed: 1 };
  const sampling = { samples: 8, proposal: 'unigram' } as const;
  const choices: readonly OutputLayerChoice[] = [
    { ...common, kind: 'factored', loss: { name: 'spherical-softmax', options: { epsilon: 1 } } },
    { ...common, kind: 'factored', loss: { name: 'taylor-softmax', options: {} } },
    { ...common, kind: 'hybrid', headSize: 8, cutoffs: [20] },
    { ...common, kind: 'hybrid', headSize: 8, tail: 'spherical' },
    { ...common, kind: 'hybrid', headSize: 8, tail: 'spherical', tailLoss: 'taylor-softmax' },
    { ...common, kind: 'full' },
    { ...common, kind: 'hierarchical' },
    { ...common, kind: 'adaptive', cutoffs: [10, 20], divValue: 2 },
    { ...common, ...sampling, kind: 'sampled' },
    { ...common, ...sampling, kind: 'nce' },
    { ...common, ...sampling, kind: 'negative' },
    { ...common, kind: 'rf', samples: 8, frequencies: 16 },
    { ...common, kind: 'quadratic', samples: 8 },
  ];

  it.each(choices)('$kind $loss.name $tail', async (choice) => {
    using network = await createTrained({ kind: 'dense' }, choice);
    const storage = createMemoryStorage();
    await exportOnnx(network, storage, 'model.onnx', { top: 3 });
    const values = Float32Array.from({ length: 2 * inputs }, (_, i) => Math.sin(i));
    const hidden = network.computeHidden({ inputs: { rows: 2, columns: inputs, values } });
    const feeds = { vectors: { values, shape: [2, inputs] } };
    await expectSame(network, storage, feeds, await scoresOf(network, hidden), ['node']);
  });

  it('a tree of several levels, the last node of which has fewer children', async () => {
    const createTree: OutputLayerFactory = (backend, { features }) =>
      createTreeSoftmaxLayer(backend, { classes, features, shortlist: 6, fanOut: 4, levels: 2, initialScale: 0.3 });
    using network = await createTrained({ kind: 'dense' }, zLoss, createPlainBackend(), createTree);
    const storage = createMemoryStorage();
    await exportOnnx(network, storage, 'model.onnx', { top: 3 });
    const values = Float32Array.from({ length: 2 * inputs }, (_, i) => Math.sin(i));
    const hidden = network.computeHidden({ inputs: { rows: 2, columns: inputs, values } });
    const feeds = { vectors: { values, shape: [2, inputs] } };
    await expectSame(network, storage, feeds, await scoresOf(network, hidden), ['node']);
  });

  it('refuses a Huffman tree, and says what can be exported', async () => {
    using network = await createTrained({ kind: 'dense' }, { ...common, kind: 'huffman' });
    const storage = createMemoryStorage();
    await expect(exportOnnx(network, storage, 'model.onnx')).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/huffman-softmax.*factored, hybrid, full/) as unknown,
    });
    expect(storage.files.size).toBe(0);
  });
});

describe('weights in a file of their own', () => {
  it('are read from it', async () => {
    using network = await createTrained({ kind: 'ngram', order: 2, embedding: 32, hidden: [8] });
    const storage = createMemoryStorage();
    const { files } = await exportOnnx(network, storage, 'model.onnx', { top: 3, externalDataLimit: 2000 });
    expect(files.map(({ name }) => name)).toEqual(['model.onnx', 'model.onnx.data', 'model.onnx.json']);
    const words = [3, 1, 4, 1];
    const hidden = network.computeHidden({ contexts: Int32Array.from(words), size: 2 });
    await expectSame(network, storage, { words: int32(words, [2, 2]) }, await scoresOf(network, hidden));
  });

  it('of which none is left when a weight is not finite', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using network = await createTrained({ kind: 'dense', hidden: [4] }, zLoss, backend);
    write(new Float64Array(4).fill(1e300), network.body.parameters.matrices[1]!.value);
    const storage = createMemoryStorage();
    await expect(exportOnnx(network, storage, 'model.onnx', { externalDataLimit: 0 })).rejects.toMatchObject({
      code: 'non-finite',
    });
    expect(storage.files.size).toBe(0);
  });
});
