/** Features of n-grams against those of fastText 0.9.2. */
import { describe, expect, it } from 'vitest';
import {
  buildTextVocabulary,
  hashOfBytes,
  LabelledTexts,
  TextFeatures,
  type NgramSettings,
} from '@vastmax/sparse-data/records';

const lines = '__label__a the lazy cat naïve 日本語\n__label__b dog runs fast\n__label__a the dog\n';
const encode = (text: string): Uint8Array =>
  Uint8Array.from(unescape(encodeURIComponent(text)), (c) => c.charCodeAt(0));

function featuresOf(ngrams: NgramSettings): TextFeatures {
  const texts = new LabelledTexts();
  texts.addLines(encode(lines));
  return new TextFeatures(buildTextVocabulary(texts.words), ngrams);
}

/**
 * From `fasttext supervised -minn 2 -maxn 4 -wordNgrams 3 -bucket 1000 -dim 3 -epoch 0 -thread 12` on these lines: the
 * rows of `fasttext dump model.bin input` whose vectors `fasttext print-ngrams model.bin WORD` prints, less the 9 words.
 */
const characterNgrams: Readonly<Record<string, readonly (readonly [ngram: string, bucket: number])[]>> = {
  naïve: [
    ['<n', 655],
    ['<na', 890],
    ['<naï', 692],
    ['na', 112],
    ['naï', 546],
    ['naïv', 404],
    ['aï', 750],
    ['aïv', 832],
    ['aïve', 7],
    ['ïv', 403],
    ['ïve', 570],
    ['ïve>', 548],
    ['ve', 612],
    ['ve>', 654],
    ['e>', 490],
  ],
  日本語: [
    ['<日', 687],
    ['<日本', 587],
    ['<日本語', 581],
    ['日本', 409],
    ['日本語', 559],
    ['日本語>', 923],
    ['本語', 575],
    ['本語>', 355],
    ['語>', 255],
  ],
};

describe('n-grams', () => {
  it.each(Object.entries(characterNgrams))('of the characters of %s are in the buckets of fastText', (word, ngrams) => {
    const features = featuresOf({ wordNgrams: 3, minChars: 2, maxChars: 4, buckets: 1000 });
    expect(features.vocabulary.tokens).toEqual([
      '</s>',
      'the',
      'dog',
      'lazy',
      'cat',
      'naïve',
      '日本語',
      'runs',
      'fast',
    ]);
    expect(features.columns).toBe(1009);
    expect([...features.encodeWords([word]).indices]).toEqual([
      features.vocabulary.idOf(word),
      ...ngrams.map(([, bucket]) => 9 + bucket),
    ]);
    for (const [ngram, bucket] of ngrams) expect((hashOfBytes(encode(ngram)) >>> 0) % 1000).toBe(bucket);
  });

  it('of words are in the buckets of fastText', () => {
    const features = featuresOf({ wordNgrams: 3, minChars: 0, maxChars: 0, buckets: 100_000 });
    const texts = new LabelledTexts();
    texts.addText('the lazy');
    texts.addText('naïve 日本語 dog');
    // The mean of these rows of the dump (`-bucket 100000`, no character n-grams) is what `fasttext
    // print-sentence-vectors` prints for the two lines. The hashes of naïve and 日本語 are negative numbers.
    expect([...features.encode(texts).indices]).toEqual([
      ...[1, 3, 0, 57004, 97523, 89655],
      ...[5, 6, 2, 0, 11321, 64642, 39919, 73092, 45397],
    ]);
  });

  it('of word n-grams are those of exact 64-bit arithmetic', () => {
    const words = ['über', 'x', 'straße', 'naïve', 'a', 'zz', '日本', 'q'];
    for (const buckets of [1, 7, 2_000_000, 2 ** 31 - 2 ** 24]) {
      const features = featuresOf({ wordNgrams: 5, minChars: 0, maxChars: 0, buckets });
      const texts = new LabelledTexts();
      texts.addText(words.join(' '));
      const hashes = [...words, '</s>'].map((word) => BigInt(hashOfBytes(encode(word))));
      const expected = hashes.flatMap((first, at) => {
        let hash = first;
        return hashes.slice(at + 1, at + 5).map((next) => {
          hash = BigInt.asUintN(64, hash * 116049371n + next);
          return features.vocabulary.size + Number(hash % BigInt(buckets));
        });
      });
      const { indices } = features.encode(texts);
      const known = texts.wordRows.indices.filter((word) => features.vocabulary.has(texts.words.textOf(word))).length;
      expect([...indices.subarray(known)]).toEqual(expected);
    }
  });
});
