/** A text file (plain, .gz or .br) to a vocabulary and token numbers, with progress; two passes, so the file may be larger than memory. */
import { countTokens, encodeTokens, type Vocabulary } from '@vastmax/sparse-data';
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
  const lines = readLines(path, { signal, onProgress: (read, total) => { progress.update(read / total, `${count(words)} words`); } });
  const counter = await countTokens(lines, {
    tokenize: tokenizeWith(text),
    endOfLine: text.endOfLine,
    signal,
    onProgress: (tokens) => { words = tokens; },
  });
  return counter.build({
    minimumCount: settings.minimumCount,
    ...(settings.maximumSize === undefined ? {} : { maximumSize: settings.maximumSize }),
    specialTokens: [text.endOfLine, text.unknown],
    unknownToken: text.unknown,
  });
}

export async function encodeFile(path: string, vocabulary: Vocabulary, text: TextSettings, signal: AbortSignal): Promise<Int32Array> {
  using progress = new Progress('reading text');
  let words = 0;
  const lines = readLines(path, { signal, onProgress: (read, total) => { progress.update(read / total, `${count(words)} words`); } });
  return encodeTokens(lines, vocabulary, {
    tokenize: tokenizeWith(text),
    endOfLine: text.endOfLine,
    signal,
    onProgress: (tokens) => { words = tokens; },
  });
}
