// One implementation over several storages: what is written in memory or in a browser's folder has the bytes of the
// files in Node, opens in the others, and is refused with the same errors when it is damaged.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { computedTensor, contentOf, failureOf, readEverything, tensorOf } from '@vastmax/checkpoints/testing';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeCheckpointPart } from '../src/checkpoint-parts.ts';
import { isCheckpointError, StorageError } from '../src/errors.ts';
import { createFileStorage } from '../src/file-storage.ts';
import { createMemoryStorage, type MemoryStorage } from '../src/memory-storage.ts';
import { openCheckpoint } from '../src/open-checkpoint.ts';
import { createOpfsStorage } from '../src/opfs-storage.ts';
import { openSafetensors } from '../src/safetensors-reader.ts';
import { writeSafetensors } from '../src/safetensors-writer.ts';
import type { CheckpointStorage } from '../src/storage.ts';
import { writeCheckpoint } from '../src/write-checkpoint.ts';
import { createFakeDirectory } from './fixtures/fake-directory.ts';
import { contentOfGeneration, everythingOfGeneration } from './fixtures/generations.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-storages-'));
let directory = folder;
let count = 0;
beforeEach(() => {
  directory = join(folder, String(count++));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const filesOf = (path: string): Map<string, Uint8Array<ArrayBuffer>> =>
  new Map(
    readdirSync(path)
      .sort()
      .map((name) => [name, new Uint8Array(readFileSync(join(path, name)))]),
  );

async function bytesOf(memory: MemoryStorage, name: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array((await memory.files.get(name)?.arrayBuffer()) ?? new ArrayBuffer(0));
}

async function bytesOfBlobs(files: ReadonlyMap<string, Blob>): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const all = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [name, blob] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    all.set(name, new Uint8Array(await blob.arrayBuffer()));
  return all;
}

describe('the same bytes', () => {
  beforeEach(() => {
    let next = 0;
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      (array as unknown as Uint32Array)[0] = next++ & 7;
      return array;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    ['one file of weights', {}],
    ['several', { maximumShardBytes: 1024 }],
  ] as const)('are written to a folder, to memory and to a browser, with %s', async (_, options) => {
    const browser = createFakeDirectory();
    const memory = createMemoryStorage();
    const storages: readonly CheckpointStorage[] = [createFileStorage(directory), memory, createOpfsStorage(browser)];
    for (const generation of [1, 2, 3]) {
      vi.mocked(crypto.getRandomValues).mockImplementation((array) => {
        (array as unknown as Uint32Array)[0] = generation;
        return array;
      });
      for (const storage of storages) await writeCheckpoint(storage, contentOfGeneration(generation), options);
      const files = filesOf(directory);
      expect(files.size).toBeGreaterThan(3);
      expect(await bytesOfBlobs(memory.files)).toEqual(files);
      expect(await bytesOfBlobs(browser.files)).toEqual(files);
      for (const storage of storages)
        expect(await readEverything(storage)).toEqual(await everythingOfGeneration(generation));
    }
  });

  it('are those of a safetensors file by blocks, which any of them reads by ranges', async () => {
    const tensors = [
      computedTensor('table', 300_000, 8, (at) => (at % 1000) / 3),
      tensorOf('f64', Float64Array.of(-0, 1e-300), 2, 'f64'),
    ];
    const memory = createMemoryStorage();
    const digest = await writeSafetensors(createFileStorage(folder), 'big.safetensors', tensors, { half: true });
    expect(await writeSafetensors(memory, 'big.safetensors', tensors, { half: true })).toEqual(digest);
    const bytes = new Uint8Array(readFileSync(join(folder, 'big.safetensors')));
    expect(Buffer.compare(bytes, await bytesOf(memory, 'big.safetensors'))).toBe(0);
    await using file = await openSafetensors(createMemoryStorage([['x', bytes.buffer]]), 'x');
    await using other = await openSafetensors(memory, 'big.safetensors');
    expect(await file.tensors[0]?.read(299_990, 10)).toEqual(await other.tensors[0]?.read(299_990, 10));
    expect(await contentOf(file.tensors[1]!)).toEqual(await contentOf(other.tensors[1]!));
  });
});

describe('a checkpoint moves', () => {
  it('from Node to a page as Blobs or buffers, and back', async () => {
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(4), { maximumShardBytes: 1024 });
    const files = filesOf(directory);
    const asBlobs = createMemoryStorage([...files].map(([name, bytes]) => [name, new Blob([bytes])]));
    const asBuffers = createMemoryStorage([...files].map(([name, bytes]) => [name, bytes.buffer]));
    for (const storage of [asBlobs, asBuffers, createMemoryStorage(files)])
      expect(await readEverything(storage)).toEqual(await everythingOfGeneration(4));

    await writeCheckpoint(asBlobs, contentOfGeneration(5));
    const back = join(folder, 'back');
    mkdirSync(back);
    for (const [name, blob] of asBlobs.files) writeFileSync(join(back, name), new Uint8Array(await blob.arrayBuffer()));
    expect(await readEverything(back)).toEqual(await everythingOfGeneration(5));
  });
});

describe('damage', () => {
  /** Of opening what a storage has, without its location. */
  const outcomeOf = async (storage: CheckpointStorage): Promise<string> => {
    try {
      return JSON.stringify(await readEverything(storage));
    } catch (error) {
      if (!isCheckpointError(error)) throw error;
      return `${error.code}: ${error.message.replaceAll(storage.location, 'HERE')}`;
    }
  };

  it('of any file is refused with the same code and message over Blobs as over files', async () => {
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1), { maximumShardBytes: 1024 });
    const originals = filesOf(directory);
    const edit = fc.record({
      file: fc.constantFrom(...originals.keys()),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      remove: fc.oneof(fc.nat(4), fc.constant(Infinity)),
      insert: fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.constant(Uint8Array.of(0x5b))),
    });
    const codes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(edit, fc.boolean(), async ({ file, at, remove, insert }, isAbsent) => {
        const files = new Map(originals);
        const bytes = originals.get(file) ?? new Uint8Array();
        const start = Math.floor(at * bytes.length);
        files.set(file, Uint8Array.from([...bytes.slice(0, start), ...insert, ...bytes.slice(start + remove)]));
        if (isAbsent) files.delete(file);
        rmSync(directory, { recursive: true });
        mkdirSync(directory);
        for (const [name, each] of files) writeFileSync(join(directory, name), each);
        const outcome = await outcomeOf(createFileStorage(directory));
        codes.add(outcome.slice(0, outcome.indexOf(':')));
        expect(await outcomeOf(createMemoryStorage(files, { location: 'page' }))).toBe(outcome);
        const browser = createFakeDirectory();
        for (const [name, each] of files) browser.files.set(name, new Blob([each]));
        // There an empty checkpoint.json is that of a page closed during its first save.
        if (files.get('checkpoint.json')?.length !== 0)
          expect(await outcomeOf(createOpfsStorage(browser))).toBe(outcome);
      }),
      { numRuns: 100 },
    );
    expect([...codes]).toEqual(expect.arrayContaining(['missing', 'truncated', 'corrupted', 'bad-json']));
  });

  it('is found in one file at every length, and what a header claims is not believed', async () => {
    const memory = createMemoryStorage();
    await writeSafetensors(memory, 'x', [tensorOf('a', Float32Array.of(1, 2), 1)]);
    const whole = await bytesOf(memory, 'x');
    const failure = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
      (await failureOf(() => openSafetensors(createMemoryStorage([['x', bytes]]), 'x'))).code;
    for (let length = 0; length < whole.length; length++)
      expect(await failure(whole.slice(0, length))).toBe('truncated');
    expect(await failure(Uint8Array.from([255, 255, 255, 255, 255, 255, 255, 255, ...whole]))).toBe('invalid-header');
  });

  it('that comes to a chosen file while it is open is read-failed or truncated', async () => {
    const memory = createMemoryStorage();
    await writeSafetensors(memory, 'x', [tensorOf('a', Float32Array.of(1, 2), 1)]);
    const blob = memory.files.get('x') ?? new Blob([]);
    let isGone = false;
    const file = new Proxy(blob, {
      get: (target, key) => {
        if (key === 'slice' && isGone)
          return () => ({ arrayBuffer: () => Promise.reject(new DOMException('changed', 'NotReadableError')) });
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    await using opened = await openSafetensors(createMemoryStorage([['x', file]]), 'x');
    isGone = true;
    expect(await failureOf(() => opened.tensors[0]?.read(0, 2))).toMatchObject({
      code: 'read-failed',
      message: 'checkpoint: memory/x cannot be read: changed',
    });
  });
});

describe('memory', () => {
  it('keeps the last checkpoint when one cannot be written, and takes turns', async () => {
    const memory = createMemoryStorage();
    await writeCheckpoint(memory, contentOfGeneration(1));
    const bad = {
      configuration: {},
      modules: { m: { configuration: {}, tensors: [tensorOf('w', Float32Array.of(Number.NaN), 1)] } },
    };
    expect((await failureOf(() => writeCheckpoint(memory, bad))).code).toBe('non-finite');
    expect(await readEverything(memory)).toEqual(await everythingOfGeneration(1));
    await Promise.all([2, 3, 4].map((generation) => writeCheckpoint(memory, contentOfGeneration(generation))));
    expect(await readEverything(memory)).toEqual(await everythingOfGeneration(4));
    expect(memory.files.size).toBe(4);
    await using checkpoint = await openCheckpoint(memory);
    expect(checkpoint).toMatchObject({ location: 'memory', counter: 4 });
  });

  it('says what is missing', async () => {
    const { code, message } = await failureOf(() => openCheckpoint(createMemoryStorage()));
    expect(`${code}: ${message}`).toBe(
      'missing: openCheckpoint: there is no checkpoint.json in memory: it is empty; no checkpoint was completed there',
    );
  });

  it('holds parts of a checkpoint until one commits them', async () => {
    const memory = createMemoryStorage();
    const { modules, ...rest } = contentOfGeneration(6);
    const { body, ...others } = modules;
    const part = await writeCheckpointPart(memory, { body: body ?? { configuration: {}, tensors: [] } });
    expect((await failureOf(() => openCheckpoint(memory))).code).toBe('missing');
    await writeCheckpoint(memory, { ...rest, modules: others }, { parts: [part] });
    expect(await readEverything(memory)).toEqual(await everythingOfGeneration(6));
  });
});

describe('a folder of a browser', () => {
  it('keeps the last checkpoint when its quota ends, at any byte', async () => {
    for (const room of [0, 300, 10_000, 17_000, 18_000]) {
      const browser = createFakeDirectory();
      const storage = createOpfsStorage(browser);
      await writeCheckpoint(storage, contentOfGeneration(1));
      const before = [...browser.files.keys()];
      browser.room = room;
      const error = await failureOf(() => writeCheckpoint(storage, contentOfGeneration(2)));
      expect(error).toMatchObject({
        code: 'write-failed',
        message:
          'writeCheckpoint: opfs/run was not written: The quota has been exceeded.; an earlier checkpoint there is untouched',
        cause: { name: 'QuotaExceededError' },
      });
      expect([...browser.files.keys()]).toEqual(before);
      expect(await readEverything(storage)).toEqual(await everythingOfGeneration(1));
    }
  });

  it('has one checkpoint or the other when the page is closed at any block', async () => {
    const blocks = 6;
    for (let at = 0; at < blocks; at++) {
      for (const first of [false, true]) {
        const browser = createFakeDirectory();
        const storage = createOpfsStorage(browser);
        if (!first) await writeCheckpoint(storage, contentOfGeneration(1));
        let block = 0;
        const onProgress = (): void => {
          if (block++ === at) browser.isClosed = true;
        };
        const error: unknown = await writeCheckpoint(storage, contentOfGeneration(2), { onProgress }).catch(
          (each: unknown) => each,
        );
        browser.isClosed = false;
        const isNew = error === undefined;
        if (first && !isNew) expect((await failureOf(() => openCheckpoint(storage))).code).toBe('missing');
        else expect(await readEverything(storage)).toEqual(await everythingOfGeneration(isNew ? 2 : 1));
        await writeCheckpoint(storage, contentOfGeneration(3));
        expect(await readEverything(storage)).toEqual(await everythingOfGeneration(3));
        expect(browser.files.size).toBe(4);
      }
    }
  });

  it('with the empty checkpoint.json of a first save that was cut off holds none', async () => {
    const browser = createFakeDirectory('');
    browser.files.set('checkpoint.json', new Blob([]));
    const storage = createOpfsStorage(browser);
    expect((await failureOf(() => openCheckpoint(storage))).message).toBe(
      'openCheckpoint: there is no checkpoint.json in opfs: it holds checkpoint.json; no checkpoint was completed there',
    );
    await writeCheckpoint(storage, contentOfGeneration(1));
    expect(await readEverything(storage)).toEqual(await everythingOfGeneration(1));
  });
});

describe('a storage of ones own', () => {
  it('may be anything that has files: its failures are write-failed, what a tensor throws is passed on', async () => {
    const memory: MemoryStorage = createMemoryStorage();
    const cause = new Error('the server is away');
    const remote: CheckpointStorage = {
      ...memory,
      location: 'https://example.org/run',
      stage: () => Promise.reject(new StorageError(cause)),
    };
    const error = await failureOf(() => writeCheckpoint(remote, contentOfGeneration(1)));
    expect(error).toMatchObject({ code: 'write-failed', cause });
    expect(error.message).toContain('https://example.org/run was not written: the server is away');
    const own = new TypeError('device lost');
    const failing = { ...tensorOf('w', Float32Array.of(1), 1), read: () => Promise.reject(own) };
    await expect(writeSafetensors(memory, 'x', [failing])).rejects.toBe(own);
    expect(memory.files.size).toBe(0);
  });
});
