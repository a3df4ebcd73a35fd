/**
 * The features of texts: a column for each word of a vocabulary, and one for each bucket of n-grams after them, as in
 * fastText. A text is the bag of its words, of their character n-grams and of its word n-grams; a word that the
 * vocabulary lacks has its n-grams only.
 */
import { createCsrRows, type CsrRows } from '../csr/csr-rows.ts';
import { enlarged } from '../csr/enlarged.ts';
import { checkInteger } from '../errors.ts';
import type { Vocabulary } from '../text/vocabulary.ts';
import { END_OF_TEXT, type LabelledTexts } from './labelled-texts.ts';
import { ByteStrings } from './byte-strings.ts';
import { addCharacterNgrams, countWordNgrams, writeWordNgrams, type NgramSettings } from './ngram-hashes.ts';
import { MAX_BYTES_PER_UNIT, encodeUtf8 } from './utf8.ts';

/** fastText's: words only. */
export const noNgrams: NgramSettings = { wordNgrams: 1, minChars: 0, maxChars: 0, buckets: 0 };

/** Columns of distinct words: those of word i are `columns[starts[i]]` to `columns[starts[i + 1]]` (exclusive). */
interface WordColumns {
  readonly starts: Int32Array;
  readonly columns: Int32Array;
}

/** The features of texts: words of a vocabulary, and hashed n-grams of words and letters as fastText has them. */
export class TextFeatures {
  readonly vocabulary: Vocabulary;
  readonly ngrams: NgramSettings;

  /** @throws SparseDataError `bad-option` for settings out of range. */
  constructor(vocabulary: Vocabulary, ngrams: NgramSettings = noNgrams) {
    checkNgramSettings('TextFeatures', ngrams);
    this.vocabulary = vocabulary;
    this.ngrams = ngrams;
  }

  /** How many features there are. */
  get columns(): number {
    return this.vocabulary.size + this.ngrams.buckets;
  }

  /**
   * The features of each text, texts×columns, all of weight 1; a feature that a text has twice is there twice. O(words ·
   * n-grams of a word).
   */
  encode(texts: Pick<LabelledTexts, 'words' | 'wordRows'>): CsrRows {
    const { words, wordRows } = texts;
    const { vocabulary, ngrams } = this;
    const withNgrams = ngrams.wordNgrams > 1;
    const { rows, offsets, indices } = wordRows;
    const { starts, columns } = this.#columnsOf(words);
    const rowOffsets = new Int32Array(rows + 1);
    let longest = 0;
    for (let row = 0; row < rows; row++) {
      const length = offsets[row + 1]! - offsets[row]!;
      longest = Math.max(longest, length);
      let entries = countWordNgrams(length, ngrams);
      for (let at = offsets[row]!; at < offsets[row + 1]!; at++)
        entries += starts[indices[at]! + 1]! - starts[indices[at]!]!;
      rowOffsets[row + 1] = rowOffsets[row]! + entries;
    }
    const rowHashes = new Int32Array(longest);
    const entries = new Int32Array(rowOffsets[rows]!);
    let entry = 0;
    for (let row = 0; row < rows; row++) {
      const first = offsets[row]!;
      for (let at = first; at < offsets[row + 1]!; at++) {
        const word = indices[at]!;
        if (withNgrams) rowHashes[at - first] = words.hashOf(word);
        for (let column = starts[word]!; column < starts[word + 1]!; column++) entries[entry++] = columns[column]!;
      }
      if (withNgrams)
        entry = writeWordNgrams(rowHashes, offsets[row + 1]! - first, ngrams, vocabulary.size, entries, entry);
    }
    return createCsrRows(rows, this.columns, rowOffsets, entries);
  }

  /** The features of single words, words×columns: the word if the vocabulary has it, and its character n-grams. */
  encodeWords(words: readonly string[]): CsrRows {
    const distinct = new ByteStrings();
    const bytes = new Uint8Array(
      MAX_BYTES_PER_UNIT * words.reduce((longest, { length }) => Math.max(longest, length), 0),
    );
    const numbers = words.map((word) => distinct.add(bytes, 0, encodeUtf8(word, bytes, 0)));
    const { starts, columns } = this.#columnsOf(distinct);
    const offsets = new Int32Array(numbers.length + 1);
    const indices: number[] = [];
    numbers.forEach((word, row) => {
      for (let at = starts[word]!; at < starts[word + 1]!; at++) indices.push(columns[at]!);
      offsets[row + 1] = indices.length;
    });
    return createCsrRows(numbers.length, this.columns, offsets, Int32Array.from(indices));
  }

  #columnsOf(words: ByteStrings): WordColumns {
    const { vocabulary, ngrams } = this;
    const starts = new Int32Array(words.size + 1);
    let columns = new Int32Array(Math.max(16, words.size));
    let end = 0;
    const buckets: number[] = [];
    for (let word = 0; word < words.size; word++) {
      const text = words.textOf(word);
      buckets.length = 0;
      if (ngrams.maxChars > 0 && text !== END_OF_TEXT)
        addCharacterNgrams(words.bytes, words.startOf(word), words.endOf(word), ngrams, buckets);
      if (end + buckets.length + 1 > columns.length) {
        columns = enlarged(columns, new Int32Array(2 * (end + buckets.length + 1)));
      }
      const id = vocabulary.idOf(text);
      if (id !== undefined && id !== vocabulary.unknownId) columns[end++] = id;
      for (const bucket of buckets) columns[end++] = vocabulary.size + bucket;
      starts[word + 1] = end;
    }
    return { starts, columns };
  }
}

/** @throws SparseDataError `bad-option`. */
export function checkNgramSettings(where: string, { wordNgrams, minChars, maxChars, buckets }: NgramSettings): void {
  checkInteger(where, 'wordNgrams', wordNgrams, 1, 64);
  checkInteger(where, 'maxChars', maxChars, 0, 64);
  checkInteger(where, 'minChars', minChars, 0, maxChars);
  checkInteger(where, 'buckets', buckets, wordNgrams > 1 || maxChars > 0 ? 1 : 0, 2 ** 31 - 2 ** 24);
}
