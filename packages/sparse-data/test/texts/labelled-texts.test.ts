import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { whitespaceTokens, wordTokens, type CsrRows } from '@vastmax/sparse-data';
import {
  buildTextVocabulary,
  type ByteStrings,
  labelsByFrequency,
  LabelledTexts,
  targetsOfTexts,
  TextFeatures,
  type LabelledTextsOptions,
} from '@vastmax/sparse-data/records';
import { decodeUtf8, encodeUtf8 } from '../../src/texts/utf8.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function collect(lines: string, options: LabelledTextsOptions = {}): { words: string[][]; labels: string[][] } {
  const texts = new LabelledTexts(options);
  texts.addLines(bytesOf(lines));
  return contents(texts);
}

function contents(texts: LabelledTexts): { words: string[][]; labels: string[][] } {
  const textsOf = ({ rows, offsets, indices }: CsrRows, strings: ByteStrings): string[][] =>
    Array.from({ length: rows }, (_, row) =>
      Array.from(indices.subarray(offsets[row], offsets[row + 1]), (index) => strings.textOf(index)),
    );
  return { words: textsOf(texts.wordRows, texts.words), labels: textsOf(texts.labelRows, texts.labels) };
}

describe('lines of fastText', () => {
  it('have labels anywhere, and end with </s>', () => {
    expect(collect('__label__x a b __label__y\r\n\n c\ta \v d\n__label__z')).toEqual({
      words: [['a', 'b', '</s>'], ['</s>'], ['c', 'a', 'd', '</s>'], ['</s>']],
      labels: [['x', 'y'], [], [], ['z']],
    });
  });

  it('have the prefix that is given, or no labels', () => {
    expect(collect('#x __label__y\n', { labelPrefix: '#' })).toEqual({
      words: [['__label__y', '</s>']],
      labels: [['x']],
    });
    expect(collect('__label__y\n', { labelPrefix: '' })).toEqual({ words: [['__label__y', '</s>']], labels: [[]] });
  });

  it('are read by a tokenizer that does not see the labels', () => {
    const lower = (line: string): string[] => wordTokens(line, { lowerCase: true });
    expect(collect('__label__X Hello, world __label__Y !\nNo\n', { tokenize: lower })).toEqual({
      words: [
        ['hello', ',', 'world', '!', '</s>'],
        ['no', '</s>'],
      ],
      labels: [['X', 'Y'], []],
    });
  });

  it('are split where whitespaceTokens splits, and keep what is no white space', () => {
    const characters = fc.constantFrom(...'ab \t\u00a0\u0085\u1680\u2003\u200b\u2028\u205f\u3000\ufeff\0é€日😀\u00c2');
    fc.assert(
      fc.property(fc.array(characters), (parts) => {
        const line = parts.join('');
        expect(collect(`${line}\n`).words[0]).toEqual([...whitespaceTokens(line), '</s>']);
        const texts = new LabelledTexts();
        texts.addText(line);
        expect(contents(texts).words[0]).toEqual([...whitespaceTokens(line), '</s>']);
      }),
    );
  });

  it('count as many words however the blocks are cut', () => {
    const lines = Array.from({ length: 3000 }, (_, i) => `__label__${i % 70} w${i % 1300} w${(i * 7) % 1300} é${i}\n`);
    const whole = new LabelledTexts();
    whole.addLines(bytesOf(lines.join('')));
    const parts = new LabelledTexts();
    for (const line of lines) parts.addLines(bytesOf(line));
    expect(contents(parts)).toEqual(contents(whole));
    const counts = new Map<string, number>();
    for (const word of contents(whole).words.flat()) counts.set(word, (counts.get(word) ?? 0) + 1);
    expect(whole.words.size).toBe(counts.size);
    for (let index = 0; index < whole.words.size; index++)
      expect(whole.words.countOf(index)).toBe(counts.get(whole.words.textOf(index)));
  });
});

it('strings are encoded and decoded as by the platform', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 90 }), (text) => {
      const out = new Uint8Array(3 * text.length);
      const bytes = out.subarray(0, encodeUtf8(text, out, 0));
      expect([...bytes]).toEqual([...bytesOf(text)]);
      expect(decodeUtf8(bytes)).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
    }),
  );
  const out = new Uint8Array(9);
  expect(decodeUtf8(out.subarray(0, encodeUtf8('a\ud800b', out, 0)))).toBe('a\ufffdb');
});

describe('features and classes', () => {
  const texts = new LabelledTexts();
  texts.addText('a b a', ['x']);
  texts.addText('c a', ['y', 'x']);
  texts.addText('b', []);

  it('are the words that occur often enough, with </s>', () => {
    const vocabulary = buildTextVocabulary(texts.words, { minimumCount: 2 });
    expect(vocabulary.toJSON()).toMatchObject({ tokens: ['a', '</s>', 'b'], counts: [3, 3, 2] });
    const { rows, columns, offsets, indices, values } = new TextFeatures(vocabulary).encode(texts);
    expect({ rows, columns, values }).toEqual({ rows: 3, columns: 3, values: undefined });
    expect([...offsets]).toEqual([0, 4, 6, 8]);
    expect([...indices]).toEqual([0, 2, 0, 1, 0, 1, 2, 1]);
    expect(buildTextVocabulary(texts.words, { maximumSize: 2 }).tokens).toEqual(['a', '</s>']);
    expect(() => buildTextVocabulary(texts.words, { minimumCount: 9 })).toThrow('none of 4 different words is left');
  });

  it('are the labels by frequency; unknown ones are left out', () => {
    expect(labelsByFrequency(texts.labels)).toEqual(['x', 'y']);
    expect(labelsByFrequency(texts.labels, { minimumCount: 2 })).toEqual(['x']);
    const targets = targetsOfTexts(
      texts,
      new Map([
        ['x', 0],
        ['z', 1],
      ]),
    );
    expect(targets).toMatchObject({ rows: 3, columns: 2 });
    expect([...targets.offsets]).toEqual([0, 1, 2, 2]);
    expect([...targets.indices]).toEqual([0, 0]);
  });

  it.each([
    [{ wordNgrams: 0, minChars: 0, maxChars: 0, buckets: 0 }, 'wordNgrams is 0'],
    [{ wordNgrams: 2, minChars: 0, maxChars: 0, buckets: 0 }, 'buckets is 0; an integer in 1..'],
    [{ wordNgrams: 1, minChars: 4, maxChars: 3, buckets: 9 }, 'minChars is 4; an integer in 0..3'],
  ])('%j are refused', (ngrams, message) => {
    expect(() => new TextFeatures(buildTextVocabulary(texts.words), ngrams)).toThrow(message);
  });
});
