// Networks with every output layer, quantised, saved, loaded: the weights are those that were, but for the rounding; the
// loaded network is the one that was saved, bit for bit; and what the factored layer tracks is of the rounded weights.

import { createMemoryStorage, openCheckpoint, writeCheckpoint } from '@vastmax/checkpoints';
import { createMatrixFrom, createPlainBackend, readRows } from '@vastmax/linalg-core';
import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';
import {
  createNetwork,
  loadNetwork,
  outputLayers,
  type BagNetwork,
  type NetworkOptions,
  type SavedModel,
} from '@vastmax/lm-models';
import { quantizeNetwork, type QuantizationOptions } from '@vastmax/lm-models/quantization';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import type { FactoredOutputLayer } from '@vastmax/spherical-losses';
import { describe, expect, it } from 'vitest';
import { normals, valuesOf } from '../numbers.ts';

const backend = createPlainBackend();
const classes = 700;
const sizes = { inputs: 600, frequencies: Float64Array.from({ length: classes }, (_, rank) => 1000 - rank) };
const body = { kind: 'bag', embedding: 9, seed: 3 } as const;
const factored = { kind: 'factored', initialScale: 0.1, seed: 1, loss: { name: 'z-loss', options: {} } } as const;
const outputs = outputLayers.map(({ name, defaults, options }) => ({
  ...factored,
  ...defaults,
  kind: name,
  // Class tables of all parts are large enough.
  ...(name === 'hybrid' ? { headSize: 90, cutoffs: [150] } : {}),
  ...(options.includes('rule') ? { rule: { name: 'adam' } } : {}),
})) as NetworkOptions['output'][];

async function trained(output: NetworkOptions['output']): Promise<BagNetwork> {
  const network = await createNetwork(backend, sizes, { body, output });
  const random = new RandomGenerator(5);
  for (let step = 0; step < 3; step++) {
    using hidden = createMatrixFrom(backend, 16, 9, normals(16 * 9, step));
    const targets = singleTargets(
      Int32Array.from({ length: 16 }, () => random.integer(classes)),
      classes,
    );
    await network.output.step(hidden, targets, { learningRate: 0.5 });
  }
  return network;
}

async function scoresOf({ output }: BagNetwork): Promise<Float64Array> {
  using hidden = createMatrixFrom(backend, 3, 9, normals(27, 9));
  using scores = backend.createMatrix(3, classes);
  output.scores(hidden, 0, scores);
  return valuesOf(scores);
}

async function vectorsOf({ output }: BagNetwork): Promise<Float64Array> {
  using vectors = backend.createMatrix(classes, 9);
  output.classVectors(0, vectors);
  return valuesOf(vectors);
}

async function savedAndLoaded(network: BagNetwork, options: QuantizationOptions): Promise<BagNetwork> {
  const storage = createMemoryStorage();
  const { modules } = await quantizeNetwork(network, options);
  const configuration = { model: JSON.parse(JSON.stringify(network.options)) as JsonObject };
  await writeCheckpoint(storage, { configuration, modules });
  await using checkpoint = await openCheckpoint(storage);
  return await loadNetwork(backend, checkpoint, { kind: 'bag' });
}

const precise = { method: '8-bit' } as const;

it('takes tables of more rows than a block, with biases and without', async () => {
  using network = await createNetwork(backend, { ...sizes, inputs: 4100 }, { body, output: factored });
  const { tables } = await quantizeNetwork(network, { method: '8-bit' });
  expect(tables.map(({ name, rows }) => [name, rows])).toEqual([
    ['embeddings', 4100],
    ['rows', classes],
  ]);
});

describe('a quantised network', () => {
  it.each(outputs.map((output) => [output.kind, output] as const))(
    'with the output layer %s is loaded as it was saved, near the one that was trained',
    async (_, output) => {
      using network = await trained(output);
      const embeddings = (await readRows(network.body.embeddings.table, 0, sizes.inputs)).slice();
      const vectors = await vectorsOf(network);
      using owned = await savedAndLoaded(network, precise);
      expect(await scoresOf(owned)).toEqual(await scoresOf(network));
      expectRounded(await readRows(owned.body.embeddings.table, 0, sizes.inputs), embeddings);
      // Vectors that are rows of the table are rounded as these; others, of trees and projections, lie near.
      if (['adaptive', 'hierarchical', 'huffman', 'hybrid', 'rf'].includes(output.kind))
        expect(relativeError(await vectorsOf(owned), vectors)).toBeLessThan(0.01);
      else expectRounded(await vectorsOf(owned), vectors);
      if (output.kind === 'factored') {
        const { gramDrift, columnSumDrift } = await (owned.output as FactoredOutputLayer).verify();
        expect(Math.max(gramDrift, columnSumDrift)).toBeLessThan(1e-6);
      }
    },
  );

  it('keeps the biases exactly', async () => {
    using network = await trained({ kind: 'full', initialScale: 0.1, seed: 1 });
    const bias = async ({ output }: BagNetwork): Promise<Float64Array> => {
      using zeros = createMatrixFrom(backend, 1, 9, new Float64Array(9));
      using scores = backend.createMatrix(1, classes);
      output.scores(zeros, 0, scores);
      return valuesOf(scores);
    };
    const before = await bias(network);
    using loaded = await savedAndLoaded(network, precise);
    expect(new Set(before).size).toBeGreaterThan(100);
    expect(await bias(loaded)).toEqual(before);
  });

  it('has no loss by centroids where there are no more different parts than centroids', async () => {
    using network = await createNetwork(backend, sizes, { body, output: { kind: 'full', initialScale: 0.1, seed: 1 } });
    // Rows of one length whose parts are ±1 or ±2.
    const random = new RandomGenerator(6);
    const rows = Float64Array.from({ length: sizes.inputs * 9 }, () => (random.uniform() < 0.5 ? -2 : 2));
    const state = network.body.state();
    await network.body.restore(replaced(state, 'embeddings', rows));
    using loaded = await savedAndLoaded(network, { method: 'product', partWidth: 4 });
    const read32 = await readRows(loaded.body.embeddings.table, 0, sizes.inputs);
    for (let i = 0; i < rows.length; i++) expect(read32[i]).toBeCloseTo(rows[i]!, 6);
  });

  it('is the less exact by centroids, the wider the parts are', async () => {
    const errors: number[] = [];
    const variants: readonly QuantizationOptions[] = [
      precise,
      { method: 'product', partWidth: 1 },
      { method: 'product', partWidth: 2 },
      { method: 'product', partWidth: 4 },
    ];
    for (const options of variants) {
      using network = await trained(factored);
      const before = await vectorsOf(network);
      using loaded = await savedAndLoaded(network, options);
      const after = await vectorsOf(loaded);
      errors.push(relativeError(after, before));
    }
    expect(errors[0]).toBeLessThan(0.01);
    expect(errors.slice(1)).toEqual(errors.slice(1).toSorted((a, b) => a - b));
    expect(errors.at(-1)).toBeLessThan(0.5);
  });

  it('reports its progress and ends with the reason of a signal', async () => {
    using network = await trained(factored);
    const seen: (readonly [number, number])[] = [];
    await quantizeNetwork(network, { ...precise, onProgress: (rows, total) => seen.push([rows, total]) });
    expect(seen.at(-1)).toEqual([1300, 1300]);
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(quantizeNetwork(network, { ...precise, signal: controller.signal })).rejects.toThrow('enough');
  });

  it.each([
    [{ method: '4-bit' } as unknown as QuantizationOptions, 'the method is 4-bit; there are 8-bit, product'],
    [{ method: 'product', partWidth: 0 } as const, 'partWidth is 0; a whole number of at least 1 is needed'],
  ])('refuses %j', async (options, message) => {
    using network = await trained(factored);
    await expect(quantizeNetwork(network, options)).rejects.toMatchObject({ code: 'bad-option' });
    await expect(quantizeNetwork(network, options)).rejects.toThrow(message);
  });

  it('refuses a network without large tables', async () => {
    using network = await createNetwork(
      backend,
      { inputs: 9, frequencies: Float64Array.of(3, 2, 1) },
      { body, output: factored },
    );
    await expect(quantizeNetwork(network, precise)).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('a damaged record', () => {
  const damages: readonly (readonly [what: string, JsonObject | number])[] = [
    ['is no object', 3],
    ['has an unknown method', { method: '1-bit', rows: 600, columns: 9, precision: 'f32' }],
    ['has other sizes', { method: '8-bit', rows: 601, columns: 9, precision: 'f32' }],
    ['lacks its part width', { method: 'product', rows: 600, columns: 9, precision: 'f32' }],
    ['asks for wide rows', { method: 'product', rows: 600, columns: 2 ** 40, precision: 'f32', partWidth: 2 ** 39 }],
    ['has no columns but biases', { method: '8-bit', rows: 600, columns: 1, precision: 'f32', biases: 1 }],
    ['asks for zeros', { method: 'zeros', rows: 2 ** 40, columns: 9, precision: 'f32' }],
  ];

  it.each(damages)('that %s is refused before anything is made of it', async (_, record) => {
    using network = await trained(factored);
    const { modules } = await quantizeNetwork(network, precise);
    const saved: SavedModel = {
      configuration: { model: JSON.parse(JSON.stringify(network.options)) as JsonObject },
      module: (name) => {
        const state = modules[name]!;
        return name === 'body'
          ? { ...state, configuration: { ...state.configuration, quantized: { embeddings: record } } }
          : state;
      },
    };
    await expect(loadNetwork(backend, saved)).rejects.toMatchObject({ code: 'state-mismatch' });
  });
});

function replaced(state: ModuleState, name: string, values: Float64Array): ModuleState {
  return {
    ...state,
    tensors: state.tensors.map((tensor) =>
      tensor.name === name
        ? {
            ...tensor,
            read: (first, count) =>
              Promise.resolve(values.slice(first * tensor.columns, (first + count) * tensor.columns)),
          }
        : tensor,
    ),
  };
}

function relativeError(actual: Float64Array, expected: Float64Array): number {
  return Math.hypot(...actual.map((value, i) => value - expected[i]!)) / Math.hypot(...expected);
}

/** Each number is off by half of 1/127 of its row's largest at most. */
function expectRounded(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  for (let row = 0; row < expected.length / 9; row++) {
    const own = Array.from({ length: 9 }, (_, i) => expected[row * 9 + i]!);
    const largest = Math.max(...own.map(Math.abs));
    for (const [i, value] of own.entries())
      expect(Math.abs(actual[row * 9 + i]! - value)).toBeLessThanOrEqual((largest / 254) * 1.001 + 1e-6);
  }
}
