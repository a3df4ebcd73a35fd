// Files made to do harm: bombs that are small on disk and large once parsed, sizes that only exist on paper, and a
// corpus of real files (a trained model's, in one file and in several) mutated with all checksums made to fit again, so
// that nothing but the checks behind them is left to find the damage.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { createPlainBackend } from '@vastmax/linalg-core';
import { isStateError } from '@vastmax/linalg-core/state';
import { loadLanguageModel, Trainer } from '@vastmax/lm-models';
import { isOutputLayerError } from '@vastmax/output-layer';
import { isSparseDataError, RandomGenerator } from '@vastmax/sparse-data';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isCheckpointError } from '../../src/checkpoint/checkpoint-error.ts';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { readVocabulary } from '../../src/checkpoint/read-vocabulary.ts';
import { openSafetensors } from '../../src/checkpoint/safetensors-reader.ts';
import { writeCheckpoint } from '../../src/checkpoint/write-checkpoint.ts';
import { createToyModel, toyBatches, toyTraining, toyVocabulary } from '../training/toy-language.ts';
import { failureOf } from './fixtures/failure-of.ts';
import { changeManifest, sealed } from './fixtures/forged-manifest.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-hostile-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const one = join(folder, 'one-file');
const several = join(folder, 'several-files');

beforeAll(async () => {
  using model = await createToyModel(createPlainBackend(), 'z-loss', { dropout: 0.1 });
  using trainer = new Trainer(
    model,
    toyBatches(),
    toyTraining('z-loss', { examples: 640, optimizer: 'adam', bodyRate: 0.01 }),
  );
  for await (const event of trainer.run()) if (event.type === 'finished') break;
  const content = { ...trainer.snapshot(), texts: { 'vocabulary.json': JSON.stringify(toyVocabulary) } };
  await writeCheckpoint(one, content);
  await writeCheckpoint(several, content, { maximumShardBytes: 1000 });
});

function withHeader(header: string, claimed = BigInt(Buffer.byteLength(header))): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(claimed);
  return Buffer.concat([prefix, Buffer.from(header)]);
}

/** As long as a header or a manifest may be. */
function filled(before: string, each: (at: number) => string, after: string): string {
  const parts = [before];
  for (let length = before.length + after.length, at = 0; ; at++) {
    const part = each(at);
    length += part.length;
    if (length > 2 ** 24 - 100) break;
    parts.push(part);
  }
  return parts.join('') + after;
}

describe('a bomb', () => {
  it('is refused with little memory, however large it would become', { timeout: 120_000 }, async () => {
    const bombs: readonly (readonly [string, string])[] = [
      ['arrays', filled('{"a":{"dtype":"F32","shape":[1,1],"data_offsets":[', () => '[],', '0]}}')],
      ['flat', filled('{"a":{"dtype":"F32","shape":[1,1],"data_offsets":[', () => '0,', '0]}}')],
      ['objects', filled('{', (at) => `"${at.toString(36)}":{},`, '"z":{}}')],
      ['strings', filled('{"__metadata__":{', (at) => `"${at.toString(36)}":"",`, '"a":""}}')],
      [
        'tensors',
        filled(
          '{',
          (at) => `"${at}":{"dtype":"F32","shape":[0,0],"data_offsets":[0,0]},`,
          '"":{"dtype":"F32","shape":[0,0],"data_offsets":[0,1]}}',
        ),
      ],
      ['deep', `{"a":${'['.repeat(8_000_000)}${']'.repeat(8_000_000)}}`],
      ['digits', filled('{"a":{"dtype":"F32","shape":[', () => '9'.repeat(1000), ',1],"data_offsets":[0,8]}}')],
      ['unclosed', filled('{"', () => '\\"', '')],
    ];
    const paths = bombs.map(([name, header]) => {
      const path = join(folder, `${name}.safetensors`);
      writeFileSync(path, withHeader(header));
      return path;
    });
    // Sizes on paper: a terabyte that is not there, and one that the file system says is there.
    const claimed = join(folder, 'claimed.safetensors');
    writeFileSync(
      claimed,
      withHeader(`{"a":{"dtype":"F32","shape":[274877906944,1],"data_offsets":[0,1099511627776]}}`),
    );
    const sparse = join(folder, 'sparse.safetensors');
    writeFileSync(sparse, withHeader('{}', 2n ** 40n));
    truncateSync(sparse, 2 ** 40);
    const manifests = [
      filled('{"format":"vastmax-checkpoint","configuration":{"a":[', () => '[],', '0]}}'),
      filled('{"format":"vastmax-checkpoint","configuration":', () => '{"a":', ''),
      filled('{', (at) => `"${at.toString(36)}":0,`, '"format":"vastmax-checkpoint"}'),
    ].map((text, at) => {
      const path = join(folder, `bomb-${at}`);
      mkdirSync(path);
      writeFileSync(join(path, 'checkpoint.json'), text);
      return path;
    });
    const huge = join(folder, 'bomb-huge');
    mkdirSync(huge);
    writeFileSync(join(huge, 'checkpoint.json'), '');
    truncateSync(join(huge, 'checkpoint.json'), 2 ** 40);

    const program = fileURLToPath(new URL('fixtures/open-hostile-files.ts', import.meta.url));
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm')).href;
    const args = [
      '--max-old-space-size=400',
      '--conditions=@vastmax/source',
      '--import',
      tsx,
      program,
      ...paths,
      claimed,
      sparse,
      ...manifests,
      huge,
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { codes, mebibytes } = JSON.parse(stdout) as { codes: string[]; mebibytes: number };
    expect(codes).toEqual([
      ...bombs.map(() => 'invalid-header'),
      'truncated',
      'invalid-header',
      'bad-json',
      'bad-json',
      'bad-json',
      'corrupted',
    ]);
    // Of 16 MiB at a time, as bytes and as text, and what is scanned and parsed of it.
    expect(mebibytes).toBeLessThan(350);
  });

  it('in a tensor of more numbers than can be held is refused when it is read whole', async () => {
    const path = join(folder, 'terabyte.safetensors');
    const header = '{"a":{"dtype":"F32","shape":[274877906944,1],"data_offsets":[0,1099511627776]}}';
    writeFileSync(path, withHeader(header));
    truncateSync(path, 8 + header.length + 2 ** 40);
    await using file = await openSafetensors(path);
    const [tensor] = file.tensors;
    expect(await tensor?.read(2 ** 38 - 2, 2)).toEqual(new Float32Array(2));
    expect(await failureOf(() => tensor?.read(0, 2 ** 38))).toMatchObject({
      code: 'bad-argument',
      message: `safetensors: ${path}: tensor "a": 274877906944 rows of 1 are 274877906944 numbers, more than can be held; read fewer at a time`,
    });
  });
});

describe('a manifest that parses in more than one way', () => {
  const problemOf = async (change: (text: string) => string): Promise<string> => {
    const path = join(one, 'checkpoint.json');
    const original = readFileSync(path, 'utf8');
    writeFileSync(path, sealed(change(original.replace(/"checksum": "\w+"/, `"checksum": "${'0'.repeat(64)}"`))));
    const { code, message } = await failureOf(() => openCheckpoint(one));
    writeFileSync(path, original);
    expect(message).toContain(path);
    return `${code}: ${message.slice(message.indexOf(')') + 2)}`;
  };

  it('is refused: keys twice, __proto__, numbers past the largest, depth', async () => {
    expect(await problemOf((text) => text.replace('"step":', '"step": 1, "step":'))).toBe(
      'bad-json: has "step" twice in one object',
    );
    expect(await problemOf((text) => text.replace('"step":', String.raw`"st\u0065p": 1, "step":`))).toBe(
      'bad-json: has "step" twice in one object',
    );
    expect(await problemOf((text) => text.replace('"step":', '"__proto__": {}, "step":'))).toBe(
      'bad-json: has the key "__proto__"',
    );
    expect(await problemOf((text) => text.replace('"step":', '"rate": 1e999, "step":'))).toMatch(
      /^bad-json: has the number "1e999" at character \d+, which is beyond the largest of 64 bits$/,
    );
    expect(
      await problemOf((text) => text.replace('"step":', `"deep": ${'['.repeat(200)}${']'.repeat(200)}, "step":`)),
    ).toMatch(/^bad-json: is nested deeper than 103 at character \d+$/);
  });
});

describe('a vocabulary', () => {
  it.each([
    ['[', 'is not JSON'],
    ['{}', 'is no vocabulary: vocabularyFromJSON: format is undefined'],
    ['{"tokens":[[]]}', 'is nested deeper than 2 at character 11'],
    ['{"tokens":[],"tokens":[]}', 'has "tokens" twice in one object'],
    [
      '{"format":"vastmax-vocabulary","version":1,"unknownToken":null,"tokens":["a","b"],"counts":[1,1e999]}',
      'has the number "1e999"',
    ],
    [
      '{"format":"vastmax-vocabulary","version":1,"unknownToken":null,"tokens":["a","b"],"counts":[1,2]}',
      'is no vocabulary: Vocabulary: counts rise from 1 at token 0 to 2 at 1',
    ],
  ])('%s is refused, with its folder and name', async (text, problem) => {
    const directory = join(folder, 'vocabulary');
    await writeCheckpoint(directory, { configuration: {}, modules: {}, texts: { 'vocabulary.json': text } });
    await using checkpoint = await openCheckpoint(directory);
    const { code, message } = await failureOf(() => readVocabulary(checkpoint));
    expect(`${code}: ${message}`).toContain(
      `bad-json: checkpoint: ${directory}: vocabulary.json (${text.length} characters) ${problem}`,
    );
    expect((await failureOf(() => readVocabulary(checkpoint, 'words.json'))).code).toBe('unknown-name');
  });
});

/** What a mutation puts in: what breaks parsers. */
const dictionary = [
  '0',
  '-1',
  '1e999',
  '1e308',
  '18446744073709551616',
  '9007199254740993',
  '0.5',
  'null',
  '[]',
  '{}',
  '""',
  '"F32"',
  '"F64"',
  '"I32"',
  '"F16"',
  '"__proto__"',
  '"../x"',
  '[[',
  ']]',
  ',',
  ':',
  '}',
  '"',
  'data_offsets',
  'shape',
  '\\u0000',
  '\0',
  '\ud83d',
  'checkpoint.json',
  'NaN',
  '-0',
  ' ',
].map((text) => Buffer.from(text));

/**
 * One to four edits of the first `limit` bytes, where the structure is: overwriting, removing, repeating, numbers and
 * words put in.
 */
function mutate(bytes: Buffer, random: RandomGenerator, limit: number): Buffer {
  let changed = bytes;
  for (let edits = 1 + random.integer(4); edits > 0; edits--) {
    const at = random.integer(Math.max(1, Math.min(limit, changed.length)));
    const length = random.integer(12);
    const [before, after] = [changed.subarray(0, at), changed.subarray(at)];
    const word = dictionary[random.integer(dictionary.length)] ?? Buffer.alloc(0);
    const kind = random.integer(6);
    if (kind === 0) changed = Buffer.concat([before, word, after]);
    else if (kind === 1) changed = Buffer.concat([before, word, after.subarray(word.length)]);
    else if (kind === 2) changed = Buffer.concat([before, after.subarray(length)]);
    else if (kind === 3) changed = Buffer.concat([before, after.subarray(0, length), after]);
    else if (kind === 4) changed = changed.subarray(0, random.integer(changed.length + 1));
    else changed = Buffer.concat([before, Buffer.from([random.integer(256)]), after.subarray(1)]);
  }
  return changed;
}

const isTyped = (error: unknown): boolean =>
  isCheckpointError(error) ||
  isOutputLayerError(error) ||
  isStateError(error) ||
  isSparseDataError(error) ||
  error instanceof RangeError;

describe('the corpus of mutated real files', () => {
  it('of weights gives tensors inside the file, or a CheckpointError that names it', { timeout: 120_000 }, async () => {
    const corpus = [one, several].flatMap((directory) =>
      readdirSync(directory)
        .filter((name) => name.endsWith('.safetensors'))
        .map((name) => readFileSync(join(directory, name))),
    );
    expect(corpus.length).toBeGreaterThan(4);
    const path = join(folder, 'mutant.safetensors');
    let opened = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(corpus.length - 1), fc.nat(), fc.boolean(), async (which, seed, fixLength) => {
        const original = corpus[which] ?? Buffer.alloc(0);
        const headerBytes = Number(original.readBigUInt64LE());
        const mutant = Buffer.from(mutate(original, new RandomGenerator(seed), 8 + headerBytes));
        // Else most insertions would only shift the data.
        if (fixLength && mutant.length > 8 && mutant.length >= original.length - headerBytes)
          mutant.writeBigUInt64LE(BigInt(mutant.length - (original.length - headerBytes - 8) - 8));
        writeFileSync(path, mutant);
        try {
          await using file = await openSafetensors(path);
          let bytes = 0;
          for (const tensor of file.tensors) bytes += (await tensor.read(0, tensor.rows)).byteLength;
          // Half precision is widened.
          expect(bytes).toBeLessThanOrEqual(2 * mutant.length);
          opened++;
        } catch (error) {
          if (!isCheckpointError(error)) throw error;
          expect(error.message).toContain(path);
          refused++;
        }
      }),
      { numRuns: 1200 },
    );
    expect(opened).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(500);
  });

  it(
    'of manifests and weights, all checksums made to fit, gives a model or an error of its own kind',
    { timeout: 120_000 },
    async () => {
      const originals = new Map(
        [one, several].map((directory) => [
          directory,
          new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))])),
        ]),
      );
      let opened = 0;
      let refused = 0;
      const mutant = join(folder, 'mutant');
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(one, several), fc.nat(), fc.nat(), async (from, seed, pick) => {
          const files = originals.get(from) ?? new Map<string, Buffer>();
          rmSync(mutant, { recursive: true, force: true });
          mkdirSync(mutant);
          const names = [...files.keys()];
          const victim = names[pick % names.length] ?? '';
          for (const [name, bytes] of files) {
            const isManifest = name === 'checkpoint.json';
            const text = isManifest
              ? Buffer.from(bytes.toString('utf8').replace(/"checksum": "\w+"/, `"checksum": "${'0'.repeat(64)}"`))
              : bytes;
            writeFileSync(
              join(mutant, name),
              name === victim ? mutate(text, new RandomGenerator(seed), isManifest ? text.length : 600) : text,
            );
          }
          const manifest = join(mutant, 'checkpoint.json');
          if (victim === 'checkpoint.json') writeFileSync(manifest, sealed(readFileSync(manifest, 'utf8')));
          else
            changeManifest(mutant, (each) => {
              for (const record of [
                ...(each.shards as FileEntry[]),
                ...(each.texts as FileEntry[]),
                ...(each.index === null ? [] : [each.index as FileEntry]),
              ]) {
                const bytes = readFileSync(join(mutant, record.file));
                record.bytes = bytes.length;
                record.sha256 = createHash('sha256').update(bytes).digest('hex');
              }
            });
          try {
            await using checkpoint = await openCheckpoint(mutant);
            using model = await loadLanguageModel(createPlainBackend(), checkpoint, readVocabulary(checkpoint));
            expect(model.vocabulary.size).toBeGreaterThan(1);
            opened++;
          } catch (error) {
            if (!isTyped(error)) throw error;
            refused++;
          }
        }),
        { numRuns: 300 },
      );
      expect(opened).toBeGreaterThan(5);
      expect(refused).toBeGreaterThan(100);
      expect(statSync(one).isDirectory()).toBe(true);
    },
  );
});

interface FileEntry {
  file: string;
  bytes: number;
  sha256: string;
}
