/** A text file (plain, .gz or .br) to a vocabulary and token numbers, with progress; two passes, so the file may be larger than memory. */
import { createHash } from 'node:crypto';
import { countTokens, encodeTokens, SparseDataError, type Vocabulary } from '@vastmax/sparse-data';
import { readLines } from '@vastmax/sparse-data/node';
import { count } from './display.ts';
import { Progress } from './progress.ts';
import { tokenizeWith, type TextSettings } from './text-settings.ts';

export interface VocabularySettings {
  readonly minimumCount: number;
  readonly maximumSize?: number;
}

export async function buildVocabulary(
  path: string,
  text: TextSettings,
  settings: VocabularySettings,
  signal: AbortSignal,
): Promise<Vocabulary> {
  using progress = new Progress('counting words');
  let words = 0;
  const lines = readLines(path, { signal, onProgress: (read, total) => { progress.update(read / total, [`${count(words)} words`]); } });
  const counter = await countTokens(lines, {
    tokenize: tokenizeWith(text),
    endOfLine: text.endOfLine,
    signal,
    onProgress: (tokens) => { words = tokens; },
  });
  const vocabulary = counter.build({
    minimumCount: settings.minimumCount,
    ...(settings.maximumSize === undefined ? {} : { maximumSize: settings.maximumSize }),
    specialTokens: [text.endOfLine, text.unknown],
    unknownToken: text.unknown,
  });
  const ordinary = vocabulary.tokens.filter((token) => token !== text.endOfLine && token !== text.unknown);
  if (ordinary.length < 2) {
    const found = ordinary.length === 0 ? 'no word' : `only the word '${ordinary[0] ?? ''}'`;
    const limits = `--min-count ${settings.minimumCount}${settings.maximumSize === undefined ? '' : ` and --max-vocabulary ${settings.maximumSize}`}`;
    throw new SparseDataError(
      'bad-vocabulary',
      `${path}: ${found} is left for the vocabulary of its ${count(counter.total)} tokens with ${limits}; at least 2 are needed to have something to predict`,
    );
  }
  return vocabulary;
}

export async function encodeFile(path: string, vocabulary: Vocabulary, text: TextSettings, signal: AbortSignal): Promise<Int32Array> {
  using progress = new Progress('reading text');
  let words = 0;
  const lines = readLines(path, { signal, onProgress: (read, total) => { progress.update(read / total, [`${count(words)} words`]); } });
  return encodeTokens(lines, vocabulary, {
    tokenize: tokenizeWith(text),
    endOfLine: text.endOfLine,
    signal,
    onProgress: (tokens) => { words = tokens; },
  });
}

/** Tells one encoded text from another, in hexadecimal. */
export function fingerprint(tokens: Int32Array): string {
  const hash = createHash('sha256');
  const block = 2 ** 26;
  for (let first = 0; first < tokens.length; first += block) hash.update(tokens.subarray(first, first + block));
  return hash.digest('hex');
}
