import { createPlainBackend, readRows, writeRows } from '@vastmax/linalg-core';
import {
  computeNeighbors,
  createNetwork,
  type Neighbor,
  type NeighborOptions,
  type NgramNetwork,
  type VectorKind,
} from '@vastmax/lm-models';
import { singleTargets, Vocabulary } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { valuesOf } from '../numbers.ts';

/** More than two blocks of 4096 rows. */
const words = 9000;

interface WideModel extends Disposable {
  readonly network: NgramNetwork;
  readonly vocabulary: Vocabulary;
}

async function createWideModel(size = words): Promise<WideModel> {
  const vocabulary = new Vocabulary({
    tokens: Array.from({ length: size }, (_, i) => (i === 0 ? '<unk>' : `w${i}`)),
    counts: Array.from({ length: size }, () => 1),
    unknownToken: '<unk>',
  });
  const sizes = { inputs: size, frequencies: vocabulary.counts };
  const network = await createNetwork(createPlainBackend(), sizes, {
    body: { kind: 'ngram', order: 1, embedding: 3, hidden: [4] },
    output: { kind: 'factored', loss: { name: 'z-loss', options: {} }, initialScale: 0.5, seed: 2 },
  });
  return {
    network,
    vocabulary,
    [Symbol.dispose]: () => {
      network[Symbol.dispose]();
    },
  };
}

async function vectorsOf(
  { network, vocabulary }: WideModel,
  kind: VectorKind,
): Promise<{ readonly values: ArrayLike<number>; readonly width: number }> {
  const { size } = vocabulary;
  if (kind === 'input') return { values: await readRows(network.body.embeddings.table, 0, size), width: 3 };
  using out = network.backend.createMatrix(size, 4);
  network.output.classVectors(0, out);
  return { values: await valuesOf(out), width: 4 };
}

async function naiveNeighbors(model: WideModel, kind: VectorKind, probe: number, k: number): Promise<Neighbor[]> {
  const { values, width } = await vectorsOf(model, kind);
  const dot = (a: number, b: number): number => {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += values[a * width + i]! * values[b * width + i]!;
    return sum;
  };
  return model.vocabulary.tokens
    .map((word, id) => ({ word, similarity: dot(probe, id) / Math.sqrt(dot(probe, probe) * dot(id, id)) }))
    .filter((_, id) => id !== probe)
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, k);
}

const neighborsOf = (
  { network, vocabulary }: WideModel,
  probes: readonly string[],
  options: NeighborOptions,
): Promise<Neighbor[][]> => computeNeighbors(network, vocabulary, probes, options);

describe('computeNeighbors', () => {
  it.each(['output', 'input'] as const)('finds the nearest %s vectors among several blocks', async (kind) => {
    using model = await createWideModel();
    const probes = [1, 4095, 4096, 8999];
    const found = await neighborsOf(
      model,
      probes.map((id) => `w${id}`),
      { k: 20, kind },
    );
    expect(found).toHaveLength(4);
    const blocks = new Set<number>();
    for (const [place, probe] of probes.entries()) {
      const expected = await naiveNeighbors(model, kind, probe, 20);
      expect(found[place]!.map(({ word }) => word)).toEqual(expected.map(({ word }) => word));
      for (const [i, { word, similarity }] of found[place]!.entries()) {
        expect(similarity).toBeCloseTo(expected[i]!.similarity, 6);
        blocks.add(Math.floor(Number(word.slice(1)) / 4096));
      }
    }
    expect([...blocks].sort()).toEqual([0, 1, 2]);
  });

  it('looks among the output vectors unless told otherwise', async () => {
    using model = await createWideModel(50);
    expect(await neighborsOf(model, ['w3'], { k: 5 })).toEqual(
      await neighborsOf(model, ['w3'], { k: 5, kind: 'output' }),
    );
    expect(await neighborsOf(model, ['w3'], { k: 5 })).not.toEqual(
      await neighborsOf(model, ['w3'], { k: 5, kind: 'input' }),
    );
  });

  it('gives all others when k is larger than the vocabulary; equal ones in the order of the vocabulary, zero vectors as 0', async () => {
    using model = await createWideModel(5);
    const rows = [0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 3, -1, 0, 0];
    writeRows(Float64Array.from(rows), 0, model.network.body.embeddings.table);
    expect(await neighborsOf(model, ['w1'], { k: 100, kind: 'input' })).toEqual([
      [
        { word: 'w2', similarity: 1 },
        { word: '<unk>', similarity: 0 },
        { word: 'w3', similarity: 0 },
        { word: 'w4', similarity: -1 },
      ],
    ]);
  });

  it('leaves no handle behind', async () => {
    using model = await createWideModel(50);
    await neighborsOf(model, ['w1'], { k: 3 });
    const warm = model.network.backend.memory();
    for (const kind of ['input', 'output'] as const) await neighborsOf(model, ['w1', 'w2'], { k: 3, kind });
    expect(model.network.backend.memory()).toEqual(warm);
  });

  it('refuses a word that is not there, although the vocabulary has an unknown word, and a k below 1', async () => {
    using model = await createWideModel(5);
    await expect(neighborsOf(model, ['w1', 'whale'], { k: 3 })).rejects.toMatchObject({
      code: 'unknown-word',
      message: "the word 'whale' is not in the vocabulary",
    });
    expect(await neighborsOf(model, ['<unk>'], { k: 1 })).toHaveLength(1);
    expect(await neighborsOf(model, [], { k: 3 })).toEqual([]);
    for (const k of [0, -1, 1.5, Number.NaN]) {
      await expect(neighborsOf(model, ['w1'], { k })).rejects.toMatchObject({
        code: 'bad-option',
        message: `neighbors: k must be a whole number of at least 1, got ${k}`,
      });
    }
  });
});

it('steps are refused while neighbours are looked for, so that all vectors are of one moment', async () => {
  using model = await createWideModel();
  const { network, vocabulary } = model;
  const running = computeNeighbors(network, vocabulary, ['w1'], { k: 2 });
  using hidden = network.backend.createMatrix(1, network.output.features);
  const targets = singleTargets(Int32Array.of(1), words);
  await expect(network.output.step(hidden, targets, { learningRate: 0.1 })).rejects.toMatchObject({ code: 'busy' });
  expect(await running).toEqual(await computeNeighbors(network, vocabulary, ['w1'], { k: 2 }));
});
