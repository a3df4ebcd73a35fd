// A corpus of real files (a trained model's, in one file and in several) mutated with all checksums made to fit again,
// so that nothing but the checks behind them is left to find the damage.

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isCheckpointError, openCheckpoint, openSafetensors, writeCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { changeManifest, sealed } from '@vastmax/checkpoints/testing';
import { createPlainBackend } from '@vastmax/linalg-core';
import { isStateError } from '@vastmax/linalg-core/state';
import { isModelError, loadNetwork, Trainer } from '@vastmax/lm-models';
import { readVocabulary } from '@vastmax/lm-models/text';
import { isOutputLayerError } from '@vastmax/output-layer';
import { isSparseDataError, RandomGenerator } from '@vastmax/sparse-data';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createToyModel, toyBatches, toyTraining, toyVocabulary } from '../training/toy-language.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-mutated-'));
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
  await writeCheckpoint(createFileStorage(one), content);
  await writeCheckpoint(createFileStorage(several), content, { maximumShardBytes: 1000 });
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
  isModelError(error) ||
  error instanceof RangeError;

describe('the corpus of mutated real files', () => {
  it('of weights gives tensors inside the file, or a CheckpointError that names it', async () => {
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
          await using file = await openSafetensors(createFileStorage(folder), 'mutant.safetensors');
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

  it('of manifests and weights, all checksums made to fit, gives a model or an error of its own kind', async () => {
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
          await using checkpoint = await openCheckpoint(createFileStorage(mutant));
          const vocabulary = readVocabulary(checkpoint);
          using network = await loadNetwork(createPlainBackend(), checkpoint);
          expect(Math.min(vocabulary.size, network.output.classes)).toBeGreaterThan(1);
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
  });
});

interface FileEntry {
  file: string;
  bytes: number;
  sha256: string;
}
