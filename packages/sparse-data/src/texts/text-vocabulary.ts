/** Which words and labels of collected texts are kept, and the classes of their labels. */
import { createCsrRows, type CsrRows } from '../csr/csr-rows.ts';
import { SparseDataError, checkInteger } from '../errors.ts';
import { Vocabulary } from '../text/vocabulary.ts';
import type { ByteStrings } from './byte-strings.ts';
import { END_OF_TEXT, type LabelledTexts } from './labelled-texts.ts';

/** Which words are kept: how often they must occur, and how many at most. */
export interface KeptStrings {
  /** Least number of occurrences of what is kept; 1 unless given. */
  readonly minimumCount?: number;
  /** How many are kept at most, the most frequent ones; all unless given. */
  readonly maximumSize?: number;
}

/**
 * The words by falling count, equally frequent ones by first appearance; `</s>` is always one of them. O(n log n).
 * @throws SparseDataError `bad-vocabulary` when no other word is left.
 */
export function buildTextVocabulary(words: ByteStrings, kept: KeptStrings = {}): Vocabulary {
  const { minimumCount = 1 } = kept;
  const order = mostFrequent('buildTextVocabulary', words, kept, words.find(END_OF_TEXT));
  if (order.length < 2) {
    throw new SparseDataError(
      'bad-vocabulary',
      `buildTextVocabulary: none of ${words.size} different words is left with a minimumCount of ${minimumCount}; at least 1 is needed: give more text or a lower one`,
    );
  }
  return new Vocabulary({
    tokens: Array.from(order, (word) => words.textOf(word)),
    counts: Array.from(order, (word) => words.countOf(word)),
  });
}

/** The names of labels in the order of their classes: by falling count, equally frequent ones by first appearance. */
export function labelsByFrequency(labels: ByteStrings, kept: KeptStrings = {}): string[] {
  return Array.from(mostFrequent('labelsByFrequency', labels, kept), (label) => labels.textOf(label));
}

/** @param always the number of a string that is kept whatever its count. */
function mostFrequent(
  where: string,
  strings: ByteStrings,
  { minimumCount = 1, maximumSize = 2 ** 31 - 1 }: KeptStrings,
  always = -1,
): Int32Array {
  checkInteger(where, 'minimumCount', minimumCount, 0, Number.MAX_SAFE_INTEGER);
  checkInteger(where, 'maximumSize', maximumSize, 1, 2 ** 31 - 1);
  const order = Int32Array.from({ length: strings.size }, (_, index) => index)
    .filter((index) => strings.countOf(index) >= minimumCount || index === always)
    .sort((a, b) => strings.countOf(b) - strings.countOf(a) || a - b);
  if (order.length <= maximumSize) return order;
  const kept = order.slice(0, maximumSize);
  if (always !== -1 && !kept.includes(always)) kept[maximumSize - 1] = always;
  return kept;
}

/** The classes of each text, texts×classes; labels that are none of `classes` are left out. O(labels). */
export function targetsOfTexts(
  { labels, labelRows }: Pick<LabelledTexts, 'labels' | 'labelRows'>,
  classes: ReadonlyMap<string, number>,
): CsrRows {
  const classOf = Int32Array.from({ length: labels.size }, (_, label) => classes.get(labels.textOf(label)) ?? -1);
  const { rows, offsets, indices } = labelRows;
  const ownOffsets = new Int32Array(rows + 1);
  const targets = new Int32Array(offsets[rows]!);
  let end = 0;
  for (let row = 0; row < rows; row++) {
    for (let at = offsets[row]!; at < offsets[row + 1]!; at++) {
      const target = classOf[indices[at]!]!;
      if (target !== -1) targets[end++] = target;
    }
    ownOffsets[row + 1] = end;
  }
  return createCsrRows(rows, classes.size, ownOffsets, targets.subarray(0, end));
}
