import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { countTokens, encodeTokens, isSparseDataError } from '@vastmax/sparse-data';
import { createSubwordTokenizer } from '@vastmax/text-readers';
import { readSubwordTokenizer } from '@vastmax/text-readers/node';
import { afterAll, describe, expect, it } from 'vitest';
import { bytePairs, unigram, wordPiece } from './small-tokenizers.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-tokenizer-'));
const path = join(folder, 'tokenizer.json');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function failureOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (isSparseDataError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a Hugging Face tokenizer', () => {
  it('of word pieces takes the longest first, and folds case and accents as its normaliser says', () => {
    const { tokenize, size, detokenize } = createSubwordTokenizer(wordPiece);
    expect([...tokenize('Unaffable, ÉTÉ! xyz')]).toEqual(['un', '##aff', '##able', ',', 'ete', '!', '[UNK]']);
    expect(size).toBe(9);
    expect(detokenize(['un', '##aff', '##able'])).toBe('unaffable');
  });

  it('adds what goes around a text only when told to', () => {
    expect([...createSubwordTokenizer(wordPiece).tokenize('ete')]).toEqual(['ete']);
    expect([...createSubwordTokenizer(wordPiece, { addSpecialTokens: true }).tokenize('ete')]).toEqual([
      '[CLS]',
      'ete',
      '[SEP]',
    ]);
  });

  it('of byte pairs merges in the order of its merges, and gives the text back', () => {
    const { tokenize, detokenize } = createSubwordTokenizer(bytePairs);
    expect([...tokenize('lower low er')]).toEqual(['low', 'er', 'Ġlow', 'Ġ', 'er']);
    for (const text of ['lower low er', ' low', 'wolé 東 😀\n']) expect(detokenize([...tokenize(text)])).toBe(text);
  });

  it('of a unigram model takes the likeliest pieces', () => {
    expect([...createSubwordTokenizer(unigram).tokenize('abab')]).toEqual(['▁ab', 'ab']);
  });

  it('reads from a file, and its tokens are counted and encoded like words', async () => {
    writeFileSync(path, JSON.stringify(bytePairs));
    expect((await readSubwordTokenizer(path)).definition).toBe(JSON.stringify(bytePairs));
    writeFileSync(path, `\ufeff${JSON.stringify(bytePairs)}`);
    const { tokenize, definition } = await readSubwordTokenizer(path);
    expect(definition).toBe(JSON.stringify(bytePairs));
    const lines = ['low lower', 'low low'];
    const vocabulary = (await countTokens(lines, { tokenize })).build();
    expect(vocabulary.tokens).toEqual(['low', 'Ġlow', 'er']);
    expect([...(await encodeTokens(lines, vocabulary, { tokenize }))].map((id) => vocabulary.tokenOf(id))).toEqual([
      'low',
      'Ġlow',
      'er',
      'low',
      'Ġlow',
    ]);
  });
});

describe('what is no tokenizer', () => {
  it('is refused, with its name', async () => {
    for (const [json, problem] of [
      [null, ' is null; an object is needed'],
      [7, ' is 7; an object is needed'],
      [[], ' is []; an object is needed'],
      [{}, ' has no model; a tokenizer.json as Hugging Face writes it is needed'],
      [{ model: null }, ' model is null; an object is needed'],
      [{ model: 'BPE' }, ' model is "BPE"; an object is needed'],
    ] as const)
      expect(await failureOf(() => createSubwordTokenizer(json, { name: 'here.json' }))).toBe(
        `bad-tokenizer: createSubwordTokenizer: here.json:${problem}`,
      );
  });

  it('as a file, with its path', async () => {
    writeFileSync(path, '{"model": ');
    expect(await failureOf(() => readSubwordTokenizer(path))).toMatch(
      new RegExp(`^bad-json: readSubwordTokenizer: ${path} \\(10 characters\\) is not JSON`),
    );
    writeFileSync(path, Buffer.from(JSON.stringify(bytePairs).replace('"low"', '"l\xf6w"'), 'latin1'));
    expect(await failureOf(() => readSubwordTokenizer(path))).toBe(
      `not-utf8: readSubwordTokenizer: ${path} is not UTF-8; convert it`,
    );
    writeFileSync(path, gzipSync(JSON.stringify(bytePairs)));
    expect(await failureOf(() => readSubwordTokenizer(path))).toContain('is of the kind gzip, not JSON');
    expect(await failureOf(() => readSubwordTokenizer(join(folder, 'absent')))).toBe(
      `missing-file: readSubwordTokenizer: there is no file ${join(folder, 'absent')}; check the path`,
    );
    expect(await failureOf(() => readSubwordTokenizer(folder))).toBe(
      `not-a-file: readSubwordTokenizer: ${folder} is a directory; a file is needed`,
    );
  });
});
