// The shapes that are expected of a checkpoint, against those of real networks of every kind; and configurations that
// ask for more than their files hold.

import { createPlainBackend } from '@vastmax/linalg-core';
import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';
import {
  checkSavedShapes,
  createNetwork,
  loadNetwork,
  networkOptionsFrom,
  outputLayers,
  type NetworkOptions,
  type SavedModel,
} from '@vastmax/lm-models';
import { describe, expect, it } from 'vitest';
import { outputLayerShapes } from '../../src/output-layers/saved-layer-shapes.ts';

const sizes = { inputs: 9, frequencies: Float64Array.from({ length: 30 }, (_, rank) => 100 - rank) };
const bag = { kind: 'bag', embedding: 5 } as const;
const factored = { kind: 'factored', initialScale: 0.1, seed: 1, loss: { name: 'z-loss', options: {} } } as const;

const outputs: readonly NetworkOptions['output'][] = outputLayers.flatMap(({ name, defaults, options }) => {
  const plain = { ...factored, ...defaults, kind: name } as NetworkOptions['output'];
  const variants: object[] = [{}];
  if (options.includes('rule')) variants.push({ rule: { name: 'adam' } });
  if (options.includes('proposal')) variants.push({ proposal: 'learned' });
  if (name === 'factored') variants.push({ loss: { name: 'spherical-softmax', options: {} } });
  if (name === 'hybrid') {
    const spherical = { headSize: 7, tail: 'spherical' };
    variants.push({ headSize: 7, cutoffs: [12, 20] }, spherical, { ...spherical, tailLoss: 'taylor-softmax' });
  }
  if (name === 'adaptive') variants.push({ cutoffs: [4, 11], divValue: 2, rule: { name: 'momentum' } });
  if (name === 'rf') variants.push({ frequencies: 16 });
  return variants.map((variant) => ({ ...plain, ...variant }));
});
const bodies: readonly NetworkOptions['body'][] = [
  bag,
  { ...bag, hidden: [4, 3] },
  { ...bag, activation: 'relu', hidden: [4] },
  { kind: 'ngram', order: 3, embedding: 4, hidden: [6, 5] },
  { kind: 'recurrent', cell: 'lstm', embedding: 4, hidden: [6, 5] },
  { kind: 'recurrent', cell: 'gru', embedding: 4, hidden: [6] },
  { kind: 'dense' },
  { kind: 'dense', hidden: [4, 3], dropout: 0.5 },
  { kind: 'dense', hidden: [4, 3], layerNorm: true },
];

async function save(options: NetworkOptions): Promise<SavedModel> {
  using network = await createNetwork(createPlainBackend(), sizes, options);
  const modules = network.modules();
  const copies = new Map<string, ModuleState>();
  for (const [name, { configuration, tensors }] of Object.entries(modules)) {
    const copied = await Promise.all(
      tensors.map(async ({ read, ...shape }) => {
        const values = (await read(0, shape.rows)).slice();
        return {
          ...shape,
          read: (first: number, count: number) =>
            Promise.resolve(values.subarray(first * shape.columns, (first + count) * shape.columns)),
        };
      }),
    );
    copies.set(name, { configuration, tensors: copied });
  }
  return {
    configuration: { model: JSON.parse(JSON.stringify(options)) as JsonObject },
    module: (name) => copies.get(name) ?? { configuration: {}, tensors: [] },
  };
}

describe('the shapes expected of a checkpoint', () => {
  it.each(outputs.map((output) => [JSON.stringify(output), output] as const))(
    'are all of those of the output layer %s',
    async (_, output) => {
      const saved = await save({ body: bag, output });
      const expected = outputLayerShapes({ features: 5, frequencies: sizes.frequencies }, output) ?? [];
      const found = saved.module('output').tensors;
      expect(new Set(expected.map(({ name }) => name))).toEqual(
        new Set(
          found.map(({ name }) => name).filter((name) => output.kind !== 'factored' || name !== 'class_constants'),
        ),
      );
      checkSavedShapes(saved, sizes, networkOptionsFrom(saved.configuration));
      using loaded = await loadNetwork(createPlainBackend(), saved);
      expect(loaded.output.classes).toBe(30);
    },
  );

  it.each(bodies.map((body) => [JSON.stringify(body), body] as const))('are those of the body %s', async (_, body) => {
    const saved = await save({ body, output: factored });
    checkSavedShapes(saved, sizes, networkOptionsFrom(saved.configuration));
    using loaded = await loadNetwork(createPlainBackend(), saved);
    expect(loaded.body.parameterCount > 0).toBe(body.kind !== 'dense' || body.hidden !== undefined);
  });
});

/** Every number of a configuration, replaced by each of `values`; every key left out, and of another type. */
function* changes(value: unknown): Generator<unknown> {
  const huge = [2 ** 31, 1e308, -1, 0.5];
  if (typeof value === 'number') yield* huge;
  if (typeof value === 'string') yield* ['full', 3];
  if (Array.isArray(value)) {
    yield [...(value as unknown[]), ...Array.from({ length: 2000 }, () => 1)];
    for (const [at, each] of value.entries()) for (const other of changes(each)) yield value.with(at, other);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      yield Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
      for (const other of [null, {}, 'x']) yield { ...value, [key]: other };
      for (const other of changes(each)) yield { ...value, [key]: other };
    }
  }
}

describe('a configuration that its files do not bear out', () => {
  it.each(
    [...outputs.map((output) => ({ body: bag, output })), ...bodies.map((body) => ({ body, output: factored }))].map(
      (options) => [JSON.stringify(options), options] as const,
    ),
  )('gives a network of the stored sizes or a typed error: %s', async (_, options) => {
    const saved = await save(options);
    let refused = 0;
    for (const model of changes(JSON.parse(JSON.stringify(options)))) {
      const backend = createPlainBackend();
      try {
        using network = await loadNetwork(backend, { ...saved, configuration: { model } as JsonObject });
        expect(network.output.classes).toBe(30);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error)) throw error;
        refused++;
      }
      expect(backend.memory().bytes).toBe(0);
    }
    expect(refused).toBeGreaterThan(30);
  });
});
