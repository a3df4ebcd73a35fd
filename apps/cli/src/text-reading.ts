/** Text settings with the tokenizer that they name: what turns lines into tokens, and tokens into text again. */
import { readFile } from 'node:fs/promises';
import type { Checkpoint } from '@vastmax/checkpoints';
import {
  createWordSegmenter,
  SparseDataError,
  whitespaceTokens,
  wordTokens,
  type Tokenize,
} from '@vastmax/sparse-data';
import { createSubwordTokenizer, type SubwordTokenizer } from '@vastmax/text-readers';
import { readSubwordTokenizer } from '@vastmax/text-readers/node';
import { inLetterCase, textSettingsFrom, type TextSettings } from './text-settings.ts';

export interface TextReading {
  readonly settings: TextSettings;
  readonly tokenize: Tokenize;
  /** Tokens as text for people. */
  join(tokens: readonly string[]): string;
  /** What a checkpoint keeps beside the settings. */
  readonly texts: Readonly<Record<string, string>>;
}

const tokenizerText = 'tokenizer.json';
const spaced = (tokens: readonly string[]): string => tokens.join(' ');

/** For every tokenizer but a subword one. */
export function createTextReading(settings: TextSettings): TextReading {
  return { settings, tokenize: tokenizeWith(settings), join: spaced, texts: {} };
}

/** By a Hugging Face tokenizer.json. @throws SparseDataError when the file is missing or is none. */
export async function readTextReading(settings: TextSettings, path: string): Promise<TextReading> {
  const tokenizer = await readSubwordTokenizer(path);
  return {
    settings,
    tokenize: tokenizer.tokenize,
    join: joinSubwords(settings, tokenizer),
    texts: { [tokenizerText]: await readFile(path, 'utf8') },
  };
}

/**
 * As the model of a checkpoint was trained.
 * @throws UsageError when it was not written by `vastmax train`, SparseDataError `bad-json`, `bad-tokenizer`.
 */
export function textReadingFrom(checkpoint: Checkpoint): TextReading {
  const settings = textSettingsFrom(checkpoint.configuration);
  if (settings.tokenizer !== 'subword') return createTextReading(settings);
  const name = `${checkpoint.location}: ${tokenizerText}`;
  const text = checkpoint.text(tokenizerText);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SparseDataError(
      'bad-json',
      `${name} (${text.length} characters) is not JSON (${error instanceof Error ? error.message : String(error)})`,
      { cause: error },
    );
  }
  const tokenizer = createSubwordTokenizer(json, { name });
  return {
    settings,
    tokenize: tokenizer.tokenize,
    join: joinSubwords(settings, tokenizer),
    texts: { [tokenizerText]: text },
  };
}

function tokenizeWith(settings: TextSettings): Tokenize {
  const { tokenizer, letterCase, locale } = settings;
  if (tokenizer === 'segmenter')
    return createWordSegmenter({ letterCase, ...(locale === undefined ? {} : { locale }) });
  const split: Tokenize = tokenizer === 'words' ? wordTokens : whitespaceTokens;
  return letterCase === 'keep' ? (line) => split(line) : (line) => split(inLetterCase(settings, line));
}

/** The words for an end of line and for unknown words are none of the tokenizer's. */
function joinSubwords({ endOfLine, unknown }: TextSettings, { detokenize }: SubwordTokenizer): TextReading['join'] {
  return (tokens) => {
    const parts: string[] = [];
    let run: string[] = [];
    const endRun = (): void => {
      if (run.length > 0) parts.push(detokenize(run));
      run = [];
    };
    for (const token of tokens) {
      if (token !== endOfLine && token !== unknown) {
        run.push(token);
        continue;
      }
      endRun();
      parts.push(token);
    }
    endRun();
    return parts.join(' ');
  };
}
