// What is written here, read by programs of others: @jax-js/loaders reads the tensors, @huggingface/hub the headers and
// the index of shards.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSafetensorsMetadata } from '@huggingface/hub';
import { safetensors } from '@jax-js/loaders';
import { createPlainBackend, read } from '@vastmax/linalg-core';
import { tableTensor } from '@vastmax/linalg-core/state';
import { afterAll, describe, expect, it } from 'vitest';
import { openSafetensors, writeCheckpoint, writeSafetensors } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { tensorOf } from '@vastmax/checkpoints/testing';
import { classVectorTensor } from '../../src/interchange/class-vectors.ts';
import { createToyModel, toyVocabulary } from '../training/toy-language.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-readers-'));
const path = join(folder, 'vectors.safetensors');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const parse = (file: string): ReturnType<typeof safetensors.parse> =>
  safetensors.parse(new Uint8Array(readFileSync(file)));

/** A hub that holds the files of a folder, and knows ranges. */
const hubOf =
  (directory: string): typeof fetch =>
  (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const name = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '');
    if (!readdirSync(directory).includes(name)) return Promise.resolve(new Response('not found', { status: 404 }));
    const bytes = readFileSync(join(directory, name));
    const headers = { etag: `"${name}"`, 'x-linked-size': String(bytes.length), 'x-repo-commit': '0'.repeat(40) };
    const range = /bytes=(\d+)-(\d+)/.exec(new Headers(init?.headers).get('range') ?? '');
    if (range === null)
      return Promise.resolve(
        new Response(bytes, { status: 200, headers: { ...headers, 'content-length': String(bytes.length) } }),
      );
    const [first, last] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
    return Promise.resolve(
      new Response(bytes.subarray(first, last + 1), {
        status: 206,
        headers: {
          ...headers,
          'content-range': `bytes ${first}-${last}/${bytes.length}`,
          'content-length': String(last + 1 - first),
        },
      }),
    );
  };

describe('an exported matrix', () => {
  it('is read by @jax-js/loaders: the class vectors of a model, W, and its embeddings', async () => {
    using model = await createToyModel(createPlainBackend(), 'z-loss');
    await writeSafetensors(createFileStorage(folder), 'vectors.safetensors', [
      classVectorTensor('class_vectors', model.output),
      tableTensor('input_embeddings', model.body.embeddings.table),
    ]);
    const { tensors } = parse(path);
    using whole = model.backend.createMatrix(toyVocabulary.size, model.output.features);
    model.output.classVectors(0, whole);
    expect(tensors['class_vectors']).toMatchObject({ dtype: 'F32', shape: [29, 12] });
    expect(tensors['class_vectors']?.data).toEqual(await read(whole));
    expect(tensors['input_embeddings']).toMatchObject({ dtype: 'F32', shape: [29, 6] });
  });

  it('of 16, 32 and 64 bits and of integers', async () => {
    const values = Float32Array.of(0.1, -65504, 1e-7, 3, 0, 1 / 3);
    await writeSafetensors(
      createFileStorage(folder),
      'vectors.safetensors',
      [
        tensorOf('a', values, 2),
        tensorOf('b', Float64Array.of(1 / 3, 1e300), 1, 'f64'),
        tensorOf('c', Int32Array.of(-1, 2 ** 31 - 1), 1, 'i32'),
      ],
      { metadata: { kind: 'test' } },
    );
    const { tensors, metadata } = parse(path);
    expect(metadata).toEqual({ kind: 'test' });
    expect([tensors['a']?.data, tensors['b']?.data, tensors['c']?.data]).toEqual([
      values,
      Float64Array.of(1 / 3, 1e300),
      Int32Array.of(-1, 2 ** 31 - 1),
    ]);
  });

  it('has a header that @huggingface/hub parses, with 16 bits too', async () => {
    const values = Float32Array.of(0.1, -65504, 1e-7, 3, 0, 1 / 3);
    await writeSafetensors(createFileStorage(folder), 'vectors.safetensors', [tensorOf('weight', values, 2)], {
      half: true,
      metadata: { producer: 'vastmax' },
    });
    const parsed = await parseSafetensorsMetadata({
      repo: 'a/b',
      path: 'vectors.safetensors',
      computeParametersCount: true,
      fetch: hubOf(folder),
    });
    expect(parsed).toMatchObject({
      sharded: false,
      parameterCount: { F16: 6 },
      header: { weight: { dtype: 'F16', shape: [3, 2], data_offsets: [0, 12] }, __metadata__: { producer: 'vastmax' } },
    });
    await using file = await openSafetensors(createFileStorage(folder), 'vectors.safetensors');
    expect(await file.tensors[0]?.read(0, 3)).toEqual(
      Float32Array.of(0.0999755859375, -65504, 1.1920928955078125e-7, 3, 0, 0.333251953125),
    );
  });
});

it('a checkpoint in shards has an index that @huggingface/hub follows, and shards that @jax-js/loaders reads', async () => {
  const directory = join(folder, 'checkpoint');
  const modules = {
    body: {
      configuration: {},
      tensors: [tensorOf('weights', new Float32Array(60 * 4), 4), tensorOf('bias/inner', new Float32Array(4), 4)],
    },
    output: { configuration: {}, tensors: [tensorOf('weights', new Float32Array(500 * 8), 8)] },
  };
  await writeCheckpoint(createFileStorage(directory), { configuration: {}, modules }, { maximumShardBytes: 1024 });
  const index = readdirSync(directory).find((name) => name.endsWith('.index.json')) ?? '';
  const parsed = await parseSafetensorsMetadata({
    repo: 'a/b',
    path: index,
    computeParametersCount: true,
    fetch: hubOf(directory),
  });
  expect(parsed).toMatchObject({ sharded: true, parameterCount: { F32: 60 * 4 + 4 + 500 * 8 } });
  const shards = readdirSync(directory).filter((name) => name.endsWith('.safetensors'));
  const names = shards.flatMap((name) => Object.keys(parse(join(directory, name)).tensors));
  expect(names).toEqual(['body/weights', 'body/bias/inner', 'output/weights']);
});
