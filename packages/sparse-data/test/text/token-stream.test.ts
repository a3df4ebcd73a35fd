import { describe, expect, it } from 'vitest';
import { countTokens, encodeTokens, wordTokens } from '../../src/text/token-stream.ts';
import { Vocabulary } from '../../src/text/vocabulary.ts';
import { VocabularyCounter } from '../../src/text/vocabulary-counter.ts';
import { thrownBy } from '../thrown-by.ts';

const vocabulary = new Vocabulary({
  tokens: ['<eos>', '<unk>', 'a', 'b'],
  counts: [4, 3, 2, 1],
  unknownToken: '<unk>',
});
const closed = new Vocabulary({ tokens: ['a', 'b'], counts: [2, 1] });

async function* lines(...texts: string[]): AsyncGenerator<string> {
  for (const text of texts) yield await Promise.resolve(text);
}

describe('encodeTokens', () => {
  it('encodes an asynchronous stream or an array, unknown tokens and line ends', async () => {
    const expected = Int32Array.of(2, 3, 0, 0, 1, 2, 0);
    expect(await encodeTokens(lines('a b', '', 'zzz a'), vocabulary, { endOfLine: '<eos>' })).toEqual(expected);
    expect(await encodeTokens(['a b', '', 'zzz a'], vocabulary, { endOfLine: '<eos>' })).toEqual(expected);
    expect(await encodeTokens(['a b', '', 'b'], vocabulary)).toEqual(Int32Array.of(2, 3, 3));
    expect(await encodeTokens([], vocabulary)).toEqual(new Int32Array(0));
  });

  it('tokenizes as told', async () => {
    expect(await encodeTokens(['a,b'], vocabulary, { tokenize: wordTokens })).toEqual(Int32Array.of(2, 1, 3));
  });

  it('reports progress', async () => {
    const seen: number[] = [];
    const line = 'a '.repeat(40_000);
    await encodeTokens([line, line, line], vocabulary, { onProgress: (tokens) => seen.push(tokens) });
    expect(seen).toEqual([80_000, 120_000]);
  });

  it('stops when aborted, with the reason given, and closes the lines', async () => {
    const controller = new AbortController();
    let closedLines = false;
    async function* source(): AsyncGenerator<string> {
      try {
        yield await Promise.resolve('a');
        controller.abort(new Error('enough'));
        yield 'a';
      } finally {
        closedLines = true;
      }
    }
    await expect(encodeTokens(source(), vocabulary, { signal: controller.signal })).rejects.toThrow('enough');
    expect(closedLines).toBe(true);
    await expect(countTokens(['a'], { signal: controller.signal })).rejects.toThrow('enough');
  });

  it('names line and token where nothing stands for the unknown', async () => {
    expect(await thrownBy(() => encodeTokens(['a b', 'a c'], closed))).toBe(
      'unknown-token: encodeTokens: line 2: token "c" is not one of the vocabulary\'s 2, and it has no unknown token; build it with one',
    );
    expect(await thrownBy(() => encodeTokens(['a'], closed, { endOfLine: '<eos>' }))).toContain(
      'unknown-token: encodeTokens: endOfLine "<eos>"',
    );
  });
});

describe('countTokens', () => {
  it('counts what encodeTokens will encode', async () => {
    const counter = await countTokens(lines('a b', '', 'a'), { endOfLine: '<eos>' });
    expect(['a', 'b', '<eos>', 'c'].map((token) => counter.countOf(token))).toEqual([2, 1, 3, 0]);
    expect(counter.total).toBe(6);
  });

  it('goes on with a counter that is given', async () => {
    const counter = new VocabularyCounter();
    await countTokens(['a'], { counter });
    expect(await countTokens(['a'], { counter })).toBe(counter);
    expect(counter.countOf('a')).toBe(2);
  });
});
