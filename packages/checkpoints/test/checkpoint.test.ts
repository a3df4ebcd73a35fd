import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failureOf, readEverything, tensorOf } from '@vastmax/checkpoints/testing';
import type { JsonObject, JsonValue } from '@vastmax/linalg-core/state';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { isCheckpointError } from '../src/errors.ts';
import { createFileStorage } from '../src/file-storage.ts';
import { openCheckpoint } from '../src/open-checkpoint.ts';
import type { CheckpointSource } from '../src/storage.ts';
import { writeCheckpoint } from '../src/write-checkpoint.ts';
import { openSafetensorsFile } from './fixtures/safetensors-files.ts';
import { contentOfGeneration, everythingOfGeneration, wholeCheckpointFiles } from './fixtures/generations.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-checkpoint-'));
let directory = folder;
let count = 0;
beforeEach(() => {
  directory = join(folder, String(count++), 'run');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const files = (): string[] => readdirSync(directory).sort();
const fileLike = (pattern: RegExp): string => join(directory, files().find((name) => pattern.test(name)) ?? 'absent');
const hash = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const single = (
  values: Float32Array,
): { modules: { m: { configuration: JsonObject; tensors: ReturnType<typeof tensorOf>[] } } } => ({
  modules: { m: { configuration: {}, tensors: [tensorOf('w', values, 2)] } },
});

describe('a checkpoint', () => {
  it('comes back bit for bit, each one in place of the last', async () => {
    for (const generation of [1, 2, 3]) {
      await writeCheckpoint(createFileStorage(directory), contentOfGeneration(generation));
      expect(await readEverything(directory)).toEqual(await everythingOfGeneration(generation));
      expect(files().join(' ')).toMatch(wholeCheckpointFiles);
    }
    await using checkpoint = await openCheckpoint(createFileStorage(directory));
    expect(checkpoint).toMatchObject({
      location: directory,
      counter: 3,
      moduleNames: ['body', 'output', 'empty'],
      textNames: ['generation.txt', 'vocabulary.json'],
    });
    expect(checkpoint.bytes).toBe(files().reduce((sum, name) => sum + statSync(join(directory, name)).size, 0));
    expect(checkpoint.module('body').tensors.map(({ name }) => name)).toEqual(['weights', 'bias/inner']);
    expect(Object.is((checkpoint.configuration.nested as { negativeZero: number }).negativeZero, -0)).toBe(true);
    await using weights = await openSafetensorsFile(fileLike(/safetensors$/));
    expect(weights.tensors.map(({ name }) => name)).toEqual(['body/weights', 'body/bias/inner', 'output/weights']);
  });

  it('keeps any configuration and any texts', async () => {
    const json = fc.letrec<{ value: JsonValue; object: JsonObject }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constant(null),
        fc.boolean(),
        fc.string({ unit: 'binary' }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer(),
        fc.array(tie('value'), { maxLength: 3 }),
        tie('object'),
      ),
      object: fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { maxKeys: 4, noNullPrototype: true }),
    })).object;
    const texts = fc.dictionary(
      fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,8}(\.[a-z]{1,4})?$/),
      fc.string({ unit: 'grapheme' }),
      { maxKeys: 3, noNullPrototype: true },
    );
    await fc.assert(
      fc.asyncProperty(json, json, texts, async (configuration, own, each) => {
        await writeCheckpoint(createFileStorage(directory), {
          configuration,
          modules: { m: { configuration: own, tensors: [] } },
          texts: each,
        });
        await using checkpoint = await openCheckpoint(createFileStorage(directory));
        expect(checkpoint.configuration).toEqual(configuration);
        expect(checkpoint.module('m')).toEqual({ configuration: own, tensors: [] });
        expect(Object.fromEntries(checkpoint.textNames.map((name) => [name, checkpoint.text(name)]))).toEqual(each);
        expect(files().length).toBe(2 + Object.keys(each).length);
      }),
      { numRuns: 60 },
    );
  });

  it('is described by plain JSON', async () => {
    await writeCheckpoint(createFileStorage(directory), {
      configuration: { a: [1, { b: -0 }] },
      ...single(Float32Array.of(1, 2)),
      texts: { 'v.json': 'hi' },
    });
    const text = readFileSync(join(directory, 'checkpoint.json'), 'utf8');
    const { checksum } = JSON.parse(text) as { checksum: string };
    const weights = fileLike(/^weights/);
    expect(JSON.parse(text)).toEqual({
      format: 'vastmax-checkpoint',
      version: 2,
      checksum: hash(text.replace(checksum, '0'.repeat(64))),
      counter: 1,
      shards: [
        {
          file: weights.slice(directory.length + 1),
          bytes: statSync(weights).size,
          sha256: hash(readFileSync(weights)),
        },
      ],
      index: null,
      texts: [{ name: 'v.json', file: `v-${hash('hi').slice(0, 16)}.json`, bytes: 2, sha256: hash('hi') }],
      configuration: { a: [1, { b: -0 }] },
      modules: [{ name: 'm', configuration: {} }],
    });
  });

  it('does not write an unchanged text again, unless it is damaged', async () => {
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1));
    const vocabulary = fileLike(/^vocabulary/);
    const { ino } = statSync(vocabulary);
    const generation = fileLike(/^generation/);
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(2));
    expect(statSync(vocabulary).ino).toBe(ino);
    expect(fileLike(/^generation/)).not.toBe(generation);
    for (const damaged of ['["schon", "\u{1f600}"] ', '']) {
      writeFileSync(vocabulary, damaged);
      expect(
        isCheckpointError(await openCheckpoint(createFileStorage(directory)).catch((error: unknown) => error)),
      ).toBe(true);
      await writeCheckpoint(createFileStorage(directory), contentOfGeneration(3));
      expect(await readEverything(directory)).toEqual(await everythingOfGeneration(3));
    }
  });

  it('can be written over itself, and stays readable while it is open', async () => {
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1));
    await using open = await openCheckpoint(createFileStorage(directory));
    const modules = Object.fromEntries(open.moduleNames.map((name) => [name, open.module(name)]));
    const texts = Object.fromEntries(open.textNames.map((name) => [name, open.text(name)]));
    await writeCheckpoint(createFileStorage(directory), { configuration: open.configuration, modules, texts });
    expect(await readEverything(directory)).toEqual(await everythingOfGeneration(1));
    expect(await open.module('body').tensors[1]?.read(0, 1)).toEqual(Float32Array.of(-1, -1, -1, -1));
  });

  it('takes turns with others of its process, in their order, also after a failure', async () => {
    const failing = writeCheckpoint(createFileStorage(directory), contentOfGeneration(9), {
      onProgress: () => {
        throw new Error('mine');
      },
    });
    const writes = [1, 2, 3].map((generation) =>
      writeCheckpoint(
        createFileStorage(`${directory}/${generation === 2 ? '.' : ''}`),
        contentOfGeneration(generation),
      ),
    );
    await expect(failing).rejects.toThrow('mine');
    await Promise.all(writes);
    expect(files().join(' ')).toMatch(wholeCheckpointFiles);
    await using checkpoint = await openCheckpoint(createFileStorage(directory));
    expect(checkpoint.counter).toBe(3);
  });

  it('can be read again and again while another is written', async () => {
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(0));
    let writing = true;
    const writer = (async () => {
      for (let generation = 1; generation <= 40; generation++)
        await writeCheckpoint(createFileStorage(directory), contentOfGeneration(generation));
      writing = false;
    })();
    let last = 0;
    while (writing) {
      await using checkpoint = await openCheckpoint(createFileStorage(directory));
      const { step } = checkpoint.configuration as { step: number };
      expect(checkpoint.text('generation.txt')).toBe(`generation ${step}`);
      expect(step).toBeGreaterThanOrEqual(last);
      last = step;
    }
    await writer;
    expect(last).toBeGreaterThan(0);
  });

  it('reports progress of writing and of verifying', async () => {
    const written: [number, number][] = [];
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1), {
      onProgress: (...each) => written.push(each),
    });
    const verified: [number, number][] = [];
    await (
      await openCheckpoint(createFileStorage(directory), { onProgress: (...each) => verified.push(each) })
    ).close();
    for (const seen of [written, verified]) {
      const total = files().reduce(
        (sum, name) => sum + (name === 'checkpoint.json' ? 0 : statSync(join(directory, name)).size),
        0,
      );
      expect(seen.map(([bytes]) => bytes)).toEqual(seen.map(([bytes]) => bytes).sort((a, b) => a - b));
      expect(seen.at(-1)).toEqual([total, total]);
    }
    await expect(
      openCheckpoint(createFileStorage(directory), { signal: AbortSignal.abort(new Error('stop')) }),
    ).rejects.toThrow('stop');
  });

  it('leaves files of others alone', async () => {
    const others = [
      '.hidden.tmp',
      '.x.999999999-abc.tmp',
      'notes.txt',
      'weights-1.safetensors',
      'other-0123456789abcdef.json',
    ];
    mkdirSync(directory, { recursive: true });
    for (const name of others) writeFileSync(join(directory, name), name);
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1));
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(2));
    expect(files()).toEqual(expect.arrayContaining(others));
    expect(files().length).toBe(others.length + 4);
  });

  it('clears up after writers that died, and not after those that live', async () => {
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1));
    // Process 1 lives, and no process has this number: the largest of Linux is 4194304.
    const left = [
      '.checkpoint.json.999999999-0123456789ab.tmp',
      `.weights-7-01234567.safetensors.${process.pid}-0123456789ab.tmp`,
      'weights-7-01234567.safetensors',
      'vocabulary-0123456789abcdef.json',
    ];
    const living = '.weights-8-01234567.safetensors.1-0123456789ab.tmp';
    for (const name of [...left, living]) writeFileSync(join(directory, name), '');
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(2));
    expect(
      files()
        .filter((name) => name !== living)
        .join(' '),
    ).toMatch(wholeCheckpointFiles);
    expect(files()).toContain(living);
    await using checkpoint = await openCheckpoint(createFileStorage(directory));
    expect(checkpoint.counter).toBe(8);
  });
});

describe('writeCheckpoint refuses, and keeps the last checkpoint', () => {
  beforeEach(async () => {
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1));
  });
  const expectFirst = async (): Promise<void> => {
    expect(await readEverything(directory)).toEqual(await everythingOfGeneration(1));
    expect(files().join(' ')).toMatch(wholeCheckpointFiles);
  };

  it.each([Number.NaN, Infinity, -Infinity])('%d in a tensor or a configuration', async (value) => {
    const { message, code } = await failureOf(() =>
      writeCheckpoint(createFileStorage(directory), { configuration: {}, ...single(Float32Array.of(1, 2, 3, value)) }),
    );
    expect(`${code}: ${message}`).toBe(
      `non-finite: writeCheckpoint: module m, tensor w: the value at row 1, column 1 is ${value}; only finite values are saved, and what was saved before is untouched`,
    );
    const configuration = { rates: [1, { last: value }] };
    expect(
      (await failureOf(() => writeCheckpoint(createFileStorage(directory), { configuration, modules: {} }))).message,
    ).toContain(`writeCheckpoint: configuration.rates[1].last is ${value}`);
    expect(
      (
        await failureOf(() =>
          writeCheckpoint(createFileStorage(directory), {
            configuration: {},
            modules: { m: { configuration, tensors: [] } },
          }),
        )
      ).message,
    ).toContain('module m: configuration.rates[1].last is');
    await expectFirst();
  });

  it('what JSON cannot hold', async () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    for (const [value, problem] of [
      [undefined, 'is undefined'],
      [() => 1, 'is a function'],
      [1n, 'is a bigint'],
      [new Date(), 'is a Date'],
      [Float32Array.of(1), 'is a Float32Array'],
      [new Map(), 'is a Map'],
      [cycle, 'nested deeper than 100'],
    ] as const) {
      const error = await failureOf(() =>
        writeCheckpoint(createFileStorage(directory), {
          configuration: { value } as unknown as JsonObject,
          modules: {},
        }),
      );
      expect(error.code).toBe('bad-json');
      expect(error.message).toContain(problem);
    }
    await expectFirst();
  });

  it('names and texts that would not come back', async () => {
    const empty = { configuration: {}, tensors: [] };
    const tensor = tensorOf('w', Float32Array.of(1), 1);
    for (const modules of [
      { '': empty },
      { 'a/b': empty },
      { '\ud800': empty },
      { m: { ...empty, tensors: [tensor, tensor] } },
      { m: { ...empty, tensors: [{ ...tensor, name: '\udfff' }] } },
    ]) {
      expect(
        (await failureOf(() => writeCheckpoint(createFileStorage(directory), { configuration: {}, modules }))).code,
      ).toBe('bad-argument');
    }
    for (const name of ['', '.', '..', 'a/b', '../a', 'a\\b', 'a..b', '.a', 'a\0', 'ü', 'a'.repeat(101)]) {
      const error = await failureOf(() =>
        writeCheckpoint(createFileStorage(directory), { configuration: {}, modules: {}, texts: { [name]: '' } }),
      );
      expect(error.code).toBe('bad-argument');
      expect(error.message).toContain('is not a plain file name');
    }
    expect(
      (
        await failureOf(() =>
          writeCheckpoint(createFileStorage(directory), { configuration: {}, modules: {}, texts: { t: 'ab\ud800c' } }),
        )
      ).message,
    ).toContain('text t has a lone surrogate (0xd800) at index 2');
    await expectFirst();
    await writeCheckpoint(createFileStorage(directory), {
      configuration: {},
      modules: {},
      texts: { [`${'a'.repeat(95)}.json`]: 'long name' },
    });
    await using checkpoint = await openCheckpoint(createFileStorage(directory));
    expect(checkpoint.text(`${'a'.repeat(95)}.json`)).toBe('long name');
  });

  it('to end a writing that its signal or a tensor ends, at any block', async () => {
    const blocks = 5;
    for (let at = 0; at < blocks; at++) {
      const controller = new AbortController();
      let block = 0;
      const stop = new Error('stop');
      const onProgress = (): void => {
        if (block++ === at) controller.abort(stop);
      };
      expect(
        await writeCheckpoint(createFileStorage(directory), contentOfGeneration(2), {
          signal: controller.signal,
          onProgress,
        }).catch((error: unknown) => error),
      ).toBe(stop);
      await expectFirst();
    }
    const failing = {
      ...tensorOf('w', new Float32Array(8), 2),
      read: () => Promise.reject(new TypeError('device lost')),
    };
    await expect(
      writeCheckpoint(createFileStorage(directory), {
        configuration: {},
        modules: { m: { configuration: {}, tensors: [tensorOf('v', new Float32Array(8), 2), failing] } },
      }),
    ).rejects.toThrow(TypeError);
    await expectFirst();
  });

  it('to replace a checkpoint.json that is not its own, or is newer', async () => {
    const path = join(directory, 'checkpoint.json');
    for (const other of ['{"steps": 12}', readFileSync(path, 'utf8').replace('"version": 2', '"version": 3')]) {
      writeFileSync(path, other);
      expect((await failureOf(() => writeCheckpoint(createFileStorage(directory), contentOfGeneration(2)))).code).toBe(
        'unsupported-version',
      );
      expect(readFileSync(path, 'utf8')).toBe(other);
      expect(files().length).toBe(4);
    }
  });

  it('but replaces one that is damaged', async () => {
    writeFileSync(join(directory, 'checkpoint.json'), '{"format": "vastmax-che');
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(2));
    expect(await readEverything(directory)).toEqual(await everythingOfGeneration(2));
    expect(files().join(' ')).toMatch(wholeCheckpointFiles);
  });

  it('to go on when another process has written meanwhile', async () => {
    const path = join(directory, 'checkpoint.json');
    const other = join(folder, 'other-process');
    await writeCheckpoint(createFileStorage(other), contentOfGeneration(5));
    const onProgress = (): void => {
      copyFileSync(join(other, 'checkpoint.json'), path);
    };
    const error = await failureOf(() =>
      writeCheckpoint(createFileStorage(directory), contentOfGeneration(2), { onProgress }),
    );
    expect(error).toMatchObject({
      code: 'write-failed',
      message: expect.stringContaining('another process replaced checkpoint.json') as string,
    });
    expect(readFileSync(path)).toEqual(readFileSync(join(other, 'checkpoint.json')));
  });
});

describe('openCheckpoint says', () => {
  beforeEach(async () => {
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1));
  });
  const failure = async (at = directory): Promise<string> => {
    const { code, message } = await failureOf(() => openCheckpoint(createFileStorage(at)));
    return `${code}: ${message}`;
  };
  /** checkpoint.json with a change that its own checksum does not find. */
  const forge = (change: (manifest: Record<string, unknown>) => void): void => {
    const path = join(directory, 'checkpoint.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    change(manifest);
    const text = JSON.stringify({ ...manifest, checksum: '0'.repeat(64) });
    writeFileSync(path, text.replace('0'.repeat(64), hash(text)));
  };

  it('missing, and what is there', async () => {
    const absent = join(folder, 'absent');
    expect(await failure(absent)).toBe(
      `missing: openCheckpoint: there is no directory ${absent}; give the directory that a checkpoint was written to`,
    );
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(await failure(file)).toContain(`missing: openCheckpoint: ${file} is not a directory`);
    mkdirSync(absent);
    expect(await failure(absent)).toBe(
      `missing: openCheckpoint: there is no checkpoint.json in ${absent}: it is empty; no checkpoint was completed there`,
    );
    for (const name of 'gfedcba') writeFileSync(join(absent, name), '');
    expect(await failure(absent)).toContain('it holds a, b, c, d, e and 2 more;');
    const weights = fileLike(/^weights/);
    rmSync(weights);
    expect(await failure()).toBe(`missing: checkpoint: there is no file ${weights}`);
  });

  it('truncated, with both sizes, of each file', async () => {
    for (const pattern of [/^weights/, /^generation/]) {
      const path = fileLike(pattern);
      const whole = readFileSync(path);
      truncateSync(path, whole.length - 3);
      expect(await failure()).toBe(
        `truncated: checkpoint: ${path} is truncated: it has ${whole.length - 3} bytes of ${whole.length}`,
      );
      writeFileSync(path, Buffer.concat([whole, Buffer.alloc(1)]));
      expect(await failure()).toBe(
        `corrupted: checkpoint: ${path} is corrupted: it has ${whole.length + 1} bytes; ${whole.length} were written`,
      );
      writeFileSync(path, whole);
    }
  });

  it('corrupted, with both checksums, for one flipped bit anywhere', async () => {
    for (const pattern of [/^weights/, /^generation/]) {
      const path = fileLike(pattern);
      const whole = readFileSync(path);
      for (const at of [0, 9, whole.length - 1]) {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ 4;
        writeFileSync(path, damaged);
        expect(await failure()).toBe(
          `corrupted: checkpoint: ${path} is corrupted: its SHA-256 is ${hash(damaged)}; ${hash(whole)} was written`,
        );
      }
      writeFileSync(path, whole);
    }
    const path = join(directory, 'checkpoint.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"step": 1', '"step": 7'));
    expect(await failure()).toMatch(
      /^corrupted: checkpoint: .*checkpoint\.json is corrupted: its SHA-256 is [0-9a-f]{64}, it says [0-9a-f]{64}$/,
    );
  });

  it('unsupported-version and bad-json', async () => {
    const path = join(directory, 'checkpoint.json');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"version": 2', '"version": 3'));
    expect(await failure()).toContain(
      `unsupported-version: checkpoint: ${path} has the format "vastmax-checkpoint", version 3; this package reads and replaces "vastmax-checkpoint", versions 1 and 2`,
    );
    writeFileSync(path, '{}');
    expect(await failure()).toContain('has the format none, version none');
    for (const [bytes, problem] of [
      ['', '(0 bytes) is not JSON'],
      [text.slice(0, 100), '(100 bytes) is not JSON'],
      ['[]', 'is not a JSON object'],
      ['null', 'is not a JSON object'],
      [Uint8Array.of(0x22, 0xff, 0x22), '(3 bytes) is not UTF-8'],
    ] as const) {
      writeFileSync(path, bytes);
      expect(await failure()).toContain(`bad-json: checkpoint: ${path} `);
      expect(await failure()).toContain(problem);
    }
    writeFileSync(path, text.replace(/"checksum": "./, '"checksum": "'));
    expect(await failure()).toContain('has no checksum of 64 hexadecimal digits');
  });

  it('bad-json of a forged checkpoint.json, before it opens what that names', async () => {
    const path = join(directory, 'checkpoint.json');
    const text = readFileSync(path, 'utf8');
    const weights = { file: 'w', bytes: 1, sha256: 'a'.repeat(64) };
    const changes: readonly ((manifest: Record<string, unknown>) => void)[] = [
      (each) => {
        each.counter = -1;
      },
      (each) => {
        each.shards = null;
      },
      (each) => {
        each.shards = [];
      },
      (each) => {
        each.shards = [weights, weights];
      },
      (each) => {
        each.index = 7;
      },
      (each) => {
        each.index = { ...weights, file: '../index' };
      },
      (each) => {
        each.shards = [{ ...weights, bytes: 0.5 }];
      },
      (each) => {
        each.shards = [{ ...weights, sha256: 'A'.repeat(64) }];
      },
      ...['../w', '/etc/passwd', 'a/b', 'a\\b', '..', '.', '', 'a\0b', 7].map(
        (file) => (each: Record<string, unknown>) => {
          each.shards = [{ ...weights, file }];
        },
      ),
      (each) => {
        each.texts = {};
      },
      (each) => {
        each.texts = [weights];
      },
      (each) => {
        each.texts = [{ ...weights, name: 'a', file: '../a' }];
      },
      (each) => {
        each.texts = [
          { ...weights, name: 'a' },
          { ...weights, name: 'a' },
        ];
      },
      (each) => {
        each.configuration = [];
      },
      (each) => {
        each.modules = [{ name: 'a' }];
      },
      (each) => {
        each.modules = [
          { name: 'a', configuration: {} },
          { name: 'a', configuration: {} },
        ];
      },
    ];
    for (const change of changes) {
      writeFileSync(path, text);
      forge(change);
      expect(await failure()).toContain('bad-json: ');
    }
    writeFileSync(path, text);
    forge((each) => {
      each.modules = [{ name: 'body', configuration: {} }];
    });
    expect(await failure()).toContain('invalid-header: ');
    expect(await failure()).toContain('tensor "output/weights" is of no module; checkpoint.json names ["body"]');
    writeFileSync(path, text);
    forge((each) => {
      each.shards = [{ ...(each.shards as object[])[0], bytes: 2 ** 50 }];
    });
    expect(await failure()).toContain('truncated: ');
    writeFileSync(path, text);
    forge((each) => {
      (each.texts as { bytes: number }[])[0] = { ...(each.texts as { bytes: number }[])[0], bytes: 13 };
    });
    expect(await failure()).toContain('truncated: ');
  });

  it('invalid-header of weights that are whole and not safetensors', async () => {
    const file = fileLike(/^weights/);
    writeFileSync(file, 'nothing of the kind');
    forge((each) => {
      each.shards = [{ ...(each.shards as object[])[0], bytes: 19, sha256: hash('nothing of the kind') }];
    });
    expect(await failure()).toContain('invalid-header: ');
  });

  it('corrupted of a text that is not UTF-8', async () => {
    const file = fileLike(/^generation/);
    writeFileSync(file, Uint8Array.of(0xff));
    forge((each) => {
      (each.texts as object[])[0] = { ...(each.texts as object[])[0], bytes: 1, sha256: hash(Uint8Array.of(0xff)) };
    });
    expect(await failure()).toBe(`corrupted: checkpoint: ${file} is not UTF-8`);
  });

  it('read-failed of what is not a file', async () => {
    const file = fileLike(/^weights/);
    rmSync(file);
    mkdirSync(file);
    expect(await failure()).toBe(`read-failed: checkpoint: ${file} is not a regular file`);
  });

  it('unknown-name, closed, and truncated while open', async () => {
    await using checkpoint = await openCheckpoint(createFileStorage(directory));
    expect((await failureOf(() => checkpoint.module('toString'))).message).toBe(
      `checkpoint: there is no module toString in ${directory}; there are: body, output, empty`,
    );
    expect((await failureOf(() => checkpoint.text('x'))).code).toBe('unknown-name');
    const [tensor] = checkpoint.module('output').tensors;
    truncateSync(fileLike(/^weights/), 600);
    expect((await failureOf(() => tensor?.read(0, 500))).code).toBe('truncated');
    await checkpoint.close();
    expect((await failureOf(() => tensor?.read(0, 1))).code).toBe('closed');
  });
});

describe('any damage to any file', () => {
  it('is found, and takes no more memory than the file has', async () => {
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1));
    const whole = await everythingOfGeneration(1);
    const originals = new Map(files().map((name) => [name, readFileSync(join(directory, name))]));
    const largest = Math.max(...[...originals.values()].map(({ length }) => length)) + 32;
    const edit = fc.record({
      file: fc.constantFrom(...originals.keys()),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      remove: fc.nat(4),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 4 }),
        fc.constantFrom('[', '{', '}', '"', '9', '-', ',', '0', 'e9', ' ').map((text) => Buffer.from(text)),
      ),
    });
    const storage = createFileStorage(directory);
    let largestRead = 0;
    const observed: CheckpointSource = {
      ...storage,
      open: async (name) => {
        const reader = await storage.open(name);
        return {
          ...reader,
          read: (target, position) => {
            largestRead = Math.max(largestRead, target.length);
            return reader.read(target, position);
          },
        };
      },
    };
    let found = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(edit, { minLength: 1, maxLength: 2 }),
        fc.option(fc.constantFrom(...originals.keys())),
        async (edits, removed) => {
          for (const [name, bytes] of originals) writeFileSync(join(directory, name), bytes);
          for (const { file, at, remove, insert } of edits) {
            const bytes = readFileSync(join(directory, file));
            const start = Math.floor(at * bytes.length);
            writeFileSync(
              join(directory, file),
              Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]),
            );
          }
          if (removed !== null && edits.length === 2) renameSync(join(directory, removed), join(directory, 'removed'));
          try {
            expect(await readEverything(observed)).toEqual(whole);
          } catch (error) {
            if (!isCheckpointError(error)) throw error;
            found++;
          }
          rmSync(join(directory, 'removed'), { force: true });
        },
      ),
      { numRuns: 300 },
    );
    expect(largestRead).toBeGreaterThan(0);
    expect(largestRead).toBeLessThanOrEqual(largest);
    expect(found).toBeGreaterThan(180);
  });
});
