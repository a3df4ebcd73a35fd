import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
    const { tokenize } = await readSubwordTokenizer(path);
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
    for (const json of [null, 7, [], {}, { model: null }, { model: 'BPE' }])
      expect(await failureOf(() => createSubwordTokenizer(json, { name: 'here.json' }))).toBe(
        'bad-tokenizer: createSubwordTokenizer: here.json has no model; a tokenizer.json as Hugging Face writes it is needed',
      );
    expect(
      await failureOf(() =>
        createSubwordTokenizer({ ...wordPiece, model: { type: 'Telepathy' } }, { name: 'here.json' }),
      ),
    ).toMatch(/^bad-tokenizer: createSubwordTokenizer: here\.json has a model without a vocab/);
    expect(
      await failureOf(() => createSubwordTokenizer(bytePairs, { name: 'here.json' }).detokenize(['low', 'unheard'])),
    ).toBe('unknown-token: detokenize: here.json has no token "unheard"; tokens of its own tokenize are needed');
  });

  it('as a file, with its path', async () => {
    writeFileSync(path, '{"model": ');
    expect(await failureOf(() => readSubwordTokenizer(path))).toMatch(
      new RegExp(`^bad-json: readSubwordTokenizer: ${path} \\(10 characters\\) is not JSON`),
    );
    expect(await failureOf(() => readSubwordTokenizer(join(folder, 'absent')))).toBe(
      `missing-file: readSubwordTokenizer: there is no file ${join(folder, 'absent')}; check the path`,
    );
    expect(await failureOf(() => readSubwordTokenizer(folder))).toBe(
      `not-a-file: readSubwordTokenizer: ${folder} is a directory; a file is needed`,
    );
  });
});
