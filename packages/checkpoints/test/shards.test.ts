import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changeManifest, contentOf, failureOf, readEverything, sealed, tensorOf } from '@vastmax/checkpoints/testing';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createFileStorage } from '../src/file-storage.ts';
import { openCheckpoint } from '../src/open-checkpoint.ts';
import { writeCheckpoint } from '../src/write-checkpoint.ts';
import { openSafetensorsFile, writeSafetensorsFile } from './fixtures/safetensors-files.ts';
import {
  contentOfGeneration,
  everythingOfGeneration,
  shardedCheckpointFiles,
  wholeCheckpointFiles,
} from './fixtures/generations.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-shards-'));
let directory = folder;
let count = 0;
beforeEach(() => {
  directory = join(folder, String(count++));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const files = (): string[] => readdirSync(directory).sort();
const recordOf = (file: string): { file: string; bytes: number; sha256: string } => {
  const bytes = readFileSync(join(directory, file));
  return { file, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
};

describe('weights in shards', () => {
  it('come back as from one file, with an index for other programs, and the old ones go', async () => {
    for (const generation of [1, 2])
      await writeCheckpoint(createFileStorage(directory), contentOfGeneration(generation), { maximumShardBytes: 1024 });
    expect(files().join(' ')).toMatch(shardedCheckpointFiles);
    expect(await readEverything(directory)).toEqual(await everythingOfGeneration(2));
    const [first = '', second = '', index = ''] = files().slice(-3);
    expect(JSON.parse(readFileSync(join(directory, index), 'utf8'))).toEqual({
      metadata: { total_size: 60 * 4 * 4 + 4 * 4 + 500 * 8 * 4 },
      weight_map: { 'body/weights': first, 'body/bias/inner': first, 'output/weights': second },
    });
    await using checkpoint = await openCheckpoint(createFileStorage(directory));
    expect(checkpoint.bytes).toBe(files().reduce((sum, name) => sum + statSync(join(directory, name)).size, 0));
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(3));
    expect(files().join(' ')).toMatch(wholeCheckpointFiles);
    expect(await readEverything(directory)).toEqual(await everythingOfGeneration(3));
  });

  it('hold whole tensors, in order, as many as fit', async () => {
    const sizes = fc.array(fc.nat(9), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 60 }), async (rows, maximumShardBytes) => {
        rmSync(directory, { recursive: true, force: true });
        const tensors = rows.map((each, at) => ({
          ...tensorOf(
            `t${at}`,
            Float32Array.from({ length: each }, (_, value) => value + at),
            1,
          ),
          rows: each,
        }));
        await writeCheckpoint(
          createFileStorage(directory),
          { configuration: {}, modules: { m: { configuration: {}, tensors } } },
          { maximumShardBytes },
        );
        const shards = files().filter((name) => name.endsWith('.safetensors'));
        const held: string[][] = [];
        for (const shard of shards) {
          await using file = await openSafetensorsFile(join(directory, shard));
          held.push(file.tensors.map(({ name }) => name));
          const bytes = file.tensors.reduce((sum, each) => sum + each.rows * 4, 0);
          if (file.tensors.length > 1) expect(bytes).toBeLessThanOrEqual(maximumShardBytes);
        }
        expect(held.flat()).toEqual(tensors.map(({ name }) => `m/${name}`));
        await using checkpoint = await openCheckpoint(createFileStorage(directory));
        const back = checkpoint.module('m').tensors;
        expect(await Promise.all(back.map(contentOf))).toEqual(await Promise.all(tensors.map(contentOf)));
      }),
      { numRuns: 25 },
    );
  });

  it('need a bound that is one, and are told from tensors that cannot be written', async () => {
    for (const maximumShardBytes of [0, -1, 0.5, Number.NaN, Infinity]) {
      expect(
        (
          await failureOf(() =>
            writeCheckpoint(createFileStorage(directory), contentOfGeneration(1), { maximumShardBytes }),
          )
        ).message,
      ).toContain(`maximumShardBytes is ${maximumShardBytes}; a whole number of at least 1 is needed`);
    }
    const tensor = tensorOf('w', Float32Array.of(1), 1);
    const twice = { configuration: {}, modules: { m: { configuration: {}, tensors: [tensor, tensor] } } };
    expect(
      (await failureOf(() => writeCheckpoint(createFileStorage(directory), twice, { maximumShardBytes: 4 }))).message,
    ).toContain('there are two tensors of this name');
  });
});

describe('a hostile list of shards', () => {
  beforeEach(async () => {
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1), { maximumShardBytes: 1024 });
  });
  const failure = async (): Promise<string> => {
    const { code, message } = await failureOf(() => openCheckpoint(createFileStorage(directory)));
    return `${code}: ${message}`;
  };
  type Shards = { shards: { file: string }[] };

  it('cannot leave the folder, nor name a file twice', async () => {
    const outside = join(folder, 'outside.safetensors');
    writeFileSync(
      outside,
      readFileSync(join(directory, files().find((name) => name.endsWith('00001-of-00002.safetensors')) ?? '')),
    );
    for (const file of [
      '../outside.safetensors',
      outside,
      './x',
      'x/../../outside.safetensors',
      '..\\outside.safetensors',
      'a\0b',
      '%2e%2e%2foutside.safetensors',
      '-rf',
      '',
    ]) {
      const original = readFileSync(join(directory, 'checkpoint.json'));
      changeManifest(directory, (each) => {
        (each as unknown as Shards).shards = [{ ...(each as unknown as Shards).shards[0], file }];
      });
      const text = await failure();
      expect(text, file).toContain('bad-json: ');
      expect(text, file).toContain('has no shards with plain file names, bytes and sha256, but [...]');
      writeFileSync(join(directory, 'checkpoint.json'), original);
    }
    changeManifest(directory, (each) => {
      const { shards } = each as unknown as Shards;
      shards.push(...shards.slice(0, 1));
    });
    expect(await failure()).toMatch(/bad-json: .* names "weights-1-[0-9a-f]{8}-00001-of-00002\.safetensors" twice/);
  });

  it('cannot give a tensor twice, or two sizes to a file', async () => {
    const copy = 'copy.safetensors';
    writeFileSync(
      join(directory, copy),
      readFileSync(join(directory, files().find((name) => name.endsWith('00001-of-00002.safetensors')) ?? '')),
    );
    changeManifest(directory, (each) => {
      (each as unknown as Shards).shards.push(recordOf(copy));
    });
    expect(await failure()).toMatch(
      /^invalid-header: .*copy\.safetensors: tensor "body\/weights" is in .*00001-of-00002\.safetensors too/,
    );
    changeManifest(directory, (each) => {
      (each as unknown as Shards).shards[2] = { ...recordOf(copy), bytes: 12 } as never;
    });
    expect(await failure()).toMatch(/^corrupted: .*copy\.safetensors is corrupted: it has \d+ bytes; 12 were written/);
  });

  it('of very many files ends with a typed error', async () => {
    changeManifest(directory, (each) => {
      (each as unknown as Shards).shards = Array.from({ length: 60_000 }, (_, at) => ({
        file: `w${at}`,
        bytes: 2 ** 50,
        sha256: 'a'.repeat(64),
      }));
    });
    expect(await failure()).toMatch(/^missing: checkpoint: there is no file .*w0$/);
  });
});

it('a checkpoint of version 1, with one file of weights, is read and replaced', async () => {
  await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1));
  const path = join(directory, 'checkpoint.json');
  const text = readFileSync(path, 'utf8').replace(/"checksum": "\w+"/, `"checksum": "${'0'.repeat(64)}"`);
  writeFileSync(
    path,
    sealed(
      text.replace('"version": 2', '"version": 1').replace(/"shards": \[(.+)\],\n {2}"index": null/, '"weights": $1'),
    ),
  );
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
    version: 1,
    weights: { bytes: expect.any(Number) as number },
  });
  expect(await readEverything(directory)).toEqual(await everythingOfGeneration(1));
  await writeCheckpoint(createFileStorage(directory), contentOfGeneration(2));
  expect(await readEverything(directory)).toEqual(await everythingOfGeneration(2));
  expect(files().join(' ')).toMatch(wholeCheckpointFiles);
});

describe('half precision', () => {
  it('stores numbers with 16 bits, reads them as 32, and leaves integers alone', async () => {
    const path = join(folder, 'half.safetensors');
    const f32 = Float32Array.of(0.1, -0, 65504, 2 ** -24, 1 / 3, 1);
    await writeSafetensorsFile(
      path,
      [
        tensorOf('a', f32, 2),
        tensorOf('b', Float64Array.of(1e-3, 2), 1, 'f64'),
        tensorOf('c', Int32Array.of(70_000, -1), 1, 'i32'),
      ],
      { half: true },
    );
    await using file = await openSafetensorsFile(path);
    expect(file.tensors.map(({ name, precision, rows, columns }) => [name, precision, rows, columns])).toEqual([
      ['a', 'f32', 3, 2],
      ['b', 'f32', 2, 1],
      ['c', 'i32', 2, 1],
    ]);
    const [a, b, c] = await Promise.all(file.tensors.map(({ read, rows }) => read(0, rows)));
    expect(a).toEqual(Float32Array.of(0.0999755859375, -0, 65504, 2 ** -24, 0.333251953125, 1));
    expect(b).toEqual(Float32Array.of(0.0010004043579101562, 2));
    expect(c).toEqual(Int32Array.of(70_000, -1));
    expect(await file.tensors[0]?.read(1, 1)).toEqual(Float32Array.of(65504, 2 ** -24));
    expect(file.bytes - Number(readFileSync(path).readBigUInt64LE()) - 8).toBe(6 * 2 + 2 * 2 + 2 * 4);
  });

  it('refuses what it would make infinite, and keeps the file', async () => {
    const path = join(folder, 'too-large.safetensors');
    await writeSafetensorsFile(path, [tensorOf('a', Float32Array.of(1), 1)]);
    const before = readFileSync(path);
    const { code, message } = await failureOf(() =>
      writeSafetensorsFile(path, [tensorOf('a', Float32Array.of(1, 65519, 65520, 3), 2)], { half: true }),
    );
    expect(`${code}: ${message}`).toBe(
      'non-finite: writeSafetensors: tensor a: the value at row 1, column 0 is 65520; 16 bits hold at most 65504: store it with 32',
    );
    expect(readFileSync(path)).toEqual(before);
  });
});
