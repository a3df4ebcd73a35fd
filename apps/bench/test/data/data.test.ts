/** `bench data` on a tiny text: what it reports, and that the streams give the text's own examples. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPlainBackend } from '@vastmax/linalg-core';
import { countTokens, encodeTokens, NgramBatches, type Vocabulary } from '@vastmax/sparse-data';
import { readLines } from '@vastmax/sparse-data/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measureData } from '../../src/data/measure.ts';
import { dataTables } from '../../src/data/report.ts';
import { streamBatches } from '../../src/data/stream-batches.ts';
import { TimedBatches } from '../../src/data/timed-batches.ts';
import { parseLayerSettings } from '../../src/workload/layer-settings.ts';

let folder: string;
let path: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vastmax-data-'));
  path = join(folder, 'train.txt');
  // More than one block of the stream.
  writeFileSync(path, Array.from({ length: 30_000 }, (_, i) => `the ${i % 7} cats sat on mat ${i % 11}`).join('\n'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function readText(): Promise<{ vocabulary: Vocabulary; tokens: Int32Array }> {
  const reading = { endOfLine: '<eos>' };
  const vocabulary = (await countTokens(readLines(path), reading)).build({
    specialTokens: ['<eos>', '<unk>'],
    unknownToken: '<unk>',
  });
  return { vocabulary, tokens: await encodeTokens(readLines(path), vocabulary, reading) };
}

describe('streamBatches', () => {
  it('has every example of the text once, contexts reaching over blocks', async () => {
    const { vocabulary, tokens } = await readText();
    const seen = new Map<string, number>();
    const count = (
      { contexts, targetIds, size }: { contexts: Int32Array; targetIds: Int32Array; size: number },
      step: number,
    ): void => {
      for (let row = 0; row < size; row++) {
        const key = `${contexts.subarray(3 * row, 3 * row + 3).join(' ')} ${targetIds[row] ?? ''}`;
        seen.set(key, (seen.get(key) ?? 0) + step);
      }
    };
    let ends = 0;
    for await (const batch of streamBatches(vocabulary, { path, order: 3, batch: 500, seed: 2 })) {
      count(batch, 1);
      if (batch.endOfEpoch) ends++;
    }
    expect(ends).toBe(1);
    const inMemory = new NgramBatches({
      tokens,
      classes: vocabulary.size,
      order: 3,
      batchSize: 500,
      paddingId: vocabulary.idOf('<eos>') ?? 0,
    });
    for (let i = 0; i < inMemory.batchesPerEpoch; i++) count(inMemory.next(), -1);
    expect(seen.size).toBeGreaterThan(100);
    expect([...seen.values()].every((left) => left === 0)).toBe(true);
  });
});

describe('bench data', () => {
  it('has a row for each way, a worker among them', async () => {
    const options = {
      data: path,
      layer: parseLayerSettings('z-loss'),
      order: 2,
      embedding: 4,
      hidden: [5],
      batch: 64,
      tokens: 2000,
      turns: 1,
    };
    const report = await measureData(
      createPlainBackend(),
      { name: 'plain', threads: 1, detail: 'plain' },
      options,
      () => undefined,
    );
    expect(report).toMatchObject({
      bench: 'data',
      tokens: 240_000,
      classes: 18,
      tokensPerTurn: 2000,
      model: { layer: 'z-loss', order: 2 },
    });
    expect(report.rows.map(({ mode }) => mode)).toEqual(['memory', 'stream', 'worker']);
    for (const { waitingShare, tokensPerSecond, wholePathTokensPerSecond } of report.rows) {
      expect(waitingShare).toBeGreaterThan(0);
      expect(waitingShare).toBeLessThan(1);
      expect(wholePathTokensPerSecond).toBeLessThan(tokensPerSecond);
    }
    expect(dataTables(report)).toMatch(/^\| worker /m);
  });
});

describe('TimedBatches', () => {
  it('ends with an error where the stream does', async () => {
    const batches = new TimedBatches([][Symbol.iterator](), 5);
    await expect(batches.next()).rejects.toThrow('the stream ended before its 5 examples');
    expect(() => {
      batches.seek();
    }).toThrow('cannot be sought');
  });
});
