import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failureOf, tensorOf } from '@vastmax/checkpoints/testing';
import { createPlainBackend, readRows, writeRows, type RowTable } from '@vastmax/linalg-core';
import { Vocabulary } from '@vastmax/sparse-data';
import { afterAll, describe, expect, it } from 'vitest';
import { loadInitialVectors } from '../../src/interchange/initial-vectors.ts';
import { writeWord2vec } from '../../src/interchange/write-word2vec.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-initial-'));
const path = join(folder, 'vectors.txt');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const backend = createPlainBackend();
const vocabulary = new Vocabulary({
  tokens: ['the', 'cat', 'sat', '<unk>'],
  counts: [4, 3, 2, 1],
  unknownToken: '<unk>',
});
const before = [1, 1, 2, 2, 3, 3, 4, 4];
const createTable = (): RowTable => {
  const table = backend.createTable(4, 2);
  writeRows(before, 0, table);
  return table;
};
const contents = async (table: RowTable): Promise<number[]> => [...(await readRows(table, 0, 4))];

describe('initial vectors', () => {
  it('go into the rows of shared words, the first of a word that is there twice; other rows stay', async () => {
    writeFileSync(path, 'sat 0.5 -0.5\ndog 9 9\nthe 1 0\nsat 7 7\nCat 8 8\n');
    using table = createTable();
    expect(await loadInitialVectors(path, vocabulary, table)).toEqual({ found: 2, read: 5, notUtf8: 0 });
    expect(await contents(table)).toEqual([1, 0, 2, 2, 0.5, -0.5, 4, 4]);
  });

  it('come from binary files too, and are scaled when told to', async () => {
    const binary = join(folder, 'vectors.bin');
    await writeWord2vec(binary, ['cat', 'the'], tensorOf('w', Float32Array.of(10, -10, 10, -10), 2), {
      format: 'binary',
    });
    using table = createTable();
    expect(await loadInitialVectors(binary, vocabulary, table, { standardDeviation: 0.25 })).toEqual({
      found: 2,
      read: 2,
      notUtf8: 0,
    });
    expect(await contents(table)).toEqual([0.25, -0.25, 0.25, -0.25, 3, 3, 4, 4]);
  });

  it('leave out and count words that are not UTF-8', async () => {
    writeFileSync(path, Buffer.from('3 2\nthe 1 2\ncaf\xc3 5 6\ncat 3 4\n', 'latin1'));
    using table = createTable();
    expect(await loadInitialVectors(path, vocabulary, table)).toEqual({ found: 2, read: 3, notUtf8: 1 });
    expect(await contents(table)).toEqual([1, 2, 3, 4, 3, 3, 4, 4]);
  });

  it('of no shared word, or all alike, change nothing and are not divided by zero', async () => {
    writeFileSync(path, 'x 1 1\n');
    using table = createTable();
    expect(await loadInitialVectors(path, vocabulary, table, { standardDeviation: 0.1 })).toEqual({
      found: 0,
      read: 1,
      notUtf8: 0,
    });
    expect(await contents(table)).toEqual(before);
    writeFileSync(path, 'the 0 0\n');
    expect(await loadInitialVectors(path, vocabulary, table, { standardDeviation: 0.1 })).toEqual({
      found: 1,
      read: 1,
      notUtf8: 0,
    });
    expect(await contents(table)).toEqual([0, 0, ...before.slice(2)]);
  });

  it('leave the table as it was when the file is of another width, or damaged at its end', async () => {
    using table = createTable();
    writeFileSync(path, '2 3\nthe 1 2 3\ncat 1 2 3\n');
    expect((await failureOf(() => loadInitialVectors(path, vocabulary, table))).message).toBe(
      `loadInitialVectors: ${path} has vectors of 3 numbers, the table has 2 columns; train with embeddings of 3`,
    );
    writeFileSync(path, '3 2\nthe 1 2\ncat 1 2\n');
    expect((await failureOf(() => loadInitialVectors(path, vocabulary, table))).code).toBe('truncated');
    expect(await contents(table)).toEqual(before);
    using small = backend.createTable(3, 2);
    expect((await failureOf(() => loadInitialVectors(path, vocabulary, small))).message).toBe(
      'loadInitialVectors: the table has 3 rows, the vocabulary 4 words; each needs one',
    );
    expect(
      (await failureOf(() => loadInitialVectors(path, vocabulary, table, { standardDeviation: 0 }))).message,
    ).toContain('standardDeviation is 0; a finite number above 0 is needed');
  });
});
