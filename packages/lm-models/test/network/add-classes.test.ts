/** Classes that are added to networks of every layer that can: others stay, new ones are learned, and all is saved. */
import { createPlainBackend, createMatrixFrom } from '@vastmax/linalg-core';
import {
  addClasses,
  createNetwork,
  isModelError,
  loadNetwork,
  outputLayers,
  topClasses,
  Trainer,
  type OutputLayerChoice,
} from '@vastmax/lm-models';
import { createDenseRows, DenseBatches, singleTargets } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { normals, valuesOf } from '../numbers.ts';
import { captureSnapshot } from '../training/captured-snapshot.ts';

const backend = createPlainBackend({ precision: 'f64' });
const inputs = 15;
const frequencies = Float64Array.from({ length: 12 }, (_, c) => 24 - c);
const choiceOf = (kind: string): OutputLayerChoice =>
  ({
    ...outputLayers.find(({ name }) => name === kind)?.defaults,
    kind,
    initialScale: 0.3,
    seed: 2,
    ...(kind === 'factored' ? { loss: { name: 'z-loss', options: { a: 1, b: 2 } } } : {}),
    ...(kind === 'hybrid' ? { headSize: 4 } : {}),
    ...(kind === 'sampled' || kind === 'nce' || kind === 'negative' ? { samples: 6, rule: { name: 'adagrad' } } : {}),
  }) as OutputLayerChoice;

describe.each(outputLayers.filter(({ abilities }) => abilities.addsClasses).map(({ name }) => name))('%s', (kind) => {
  it('has classes added: the others keep their vectors, and the new ones are learned', async () => {
    using network = await createNetwork(
      backend,
      { inputs, frequencies },
      { body: { kind: 'dense' }, output: choiceOf(kind) },
    );
    const vectors = async (): Promise<Float64Array> => {
      using rows = backend.createMatrix(12, inputs);
      network.output.classVectors(0, rows);
      return Float64Array.from(await valuesOf(rows));
    };
    const before = await vectors();
    await addClasses(network, 3);
    expect([network.output.classes, network.sizes.frequencies.length]).toEqual([15, 15]);
    expect(await vectors()).toEqual(before);

    const values = normals(15 * inputs, 7, 0.1).map((value, i) => value + (i % (inputs + 1) === 0 ? 3 : 0));
    const targets = singleTargets(
      Int32Array.from({ length: 15 }, (_, i) => i),
      15,
    );
    using trainer = new Trainer(
      network,
      new DenseBatches({ inputs: createDenseRows(15, inputs, values), targets, batchSize: 5, seed: 1 }),
      {
        bodyRate: 0,
        outputRate: kind === 'factored' ? 0.5 : 0.3,
        optimizer: 'sgd',
        schedule: 'constant',
        examples: 6000,
      },
    );
    const events = trainer.run();
    while ((await events.next()).done !== true);
    const asked = createMatrixFrom(backend, 3, inputs, values.subarray(12 * inputs));
    const { classes } = await topClasses(network.output, asked, 1);
    expect([...classes]).toEqual([12, 13, 14]);

    if (kind === 'hybrid') return;
    const saved = await captureSnapshot(trainer.snapshot());
    using loaded = await loadNetwork(backend, saved);
    expect(await topClasses(loaded.output, asked, 4)).toEqual(await topClasses(network.output, asked, 4));
  });
});

it('a layer that cannot grow says so', async () => {
  using network = await createNetwork(
    backend,
    { inputs, frequencies },
    { body: { kind: 'dense' }, output: choiceOf('huffman') },
  );
  for (const [count, code] of [
    [1, 'unsupported'],
    [0, 'unsupported'],
  ] as const) {
    const error = await addClasses(network, count).catch((each: unknown) => each);
    expect(isModelError(error) && error.code).toBe(code);
  }
  expect(network.output.classes).toBe(12);
});
