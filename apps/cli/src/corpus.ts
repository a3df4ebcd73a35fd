/** A text to a vocabulary and token numbers, with progress; two passes, so the text may be larger than memory. */
import { createHash } from 'node:crypto';
import {
  countTokens,
  encodeTokens,
  SparseDataError,
  type Vocabulary,
  type VocabularyCounter,
} from '@vastmax/sparse-data';
import { count } from './display.ts';
import { Progress } from './progress.ts';
import type { TextReading } from './text-reading.ts';
import type { TextSource } from './text-source.ts';

export interface VocabularySettings {
  readonly minCount: number;
  readonly maxVocabulary?: number;
}

/** @param endOfLine counted once a line, unless it is left out. */
export async function countWords(
  source: TextSource,
  { tokenize }: TextReading,
  endOfLine: string | undefined,
  signal: AbortSignal,
): Promise<VocabularyCounter> {
  using progress = new Progress('counting words');
  let words = 0;
  const lines = source.lines({
    signal,
    onProgress: (read, total) => {
      progress.update(read / total, [`${count(words)} words`]);
    },
  });
  return countTokens(lines, {
    tokenize,
    ...(endOfLine === undefined ? {} : { endOfLine }),
    signal,
    onProgress: (tokens) => {
      words = tokens;
    },
  });
}

export async function buildVocabulary(
  source: TextSource,
  reading: TextReading,
  { minCount, maxVocabulary }: VocabularySettings,
  signal: AbortSignal,
): Promise<Vocabulary> {
  const { endOfLine, unknown } = reading.settings;
  const counter = await countWords(source, reading, endOfLine, signal);
  const vocabulary = counter.build({
    minimumCount: minCount,
    ...(maxVocabulary === undefined ? {} : { maximumSize: maxVocabulary }),
    specialTokens: [endOfLine, unknown],
    unknownToken: unknown,
  });
  const ordinary = vocabulary.tokens.filter((token) => token !== endOfLine && token !== unknown);
  if (ordinary.length < 2) {
    const found = ordinary.length === 0 ? 'no word' : `only the word '${ordinary[0] ?? ''}'`;
    const limits = `--min-count ${minCount}${maxVocabulary === undefined ? '' : ` and --max-vocabulary ${maxVocabulary}`}`;
    throw new SparseDataError(
      'bad-vocabulary',
      `${source.path}: ${found} is left for the vocabulary of its ${count(counter.total)} tokens with ${limits}; at least 2 are needed to have something to predict`,
    );
  }
  return vocabulary;
}

export async function encodeText(
  source: TextSource,
  vocabulary: Vocabulary,
  { settings, tokenize }: TextReading,
  signal: AbortSignal,
): Promise<Int32Array> {
  using progress = new Progress('reading text');
  let words = 0;
  const lines = source.lines({
    signal,
    onProgress: (read, total) => {
      progress.update(read / total, [`${count(words)} words`]);
    },
  });
  return encodeTokens(lines, vocabulary, {
    tokenize,
    endOfLine: settings.endOfLine,
    signal,
    onProgress: (tokens) => {
      words = tokens;
    },
  });
}

/** Tells one encoded text from another, in hexadecimal. */
export function fingerprint(tokens: Int32Array): string {
  const hash = createHash('sha256');
  const block = 2 ** 26;
  for (let first = 0; first < tokens.length; first += block) hash.update(tokens.subarray(first, first + block));
  return hash.digest('hex');
}
