/**
 * A training text, from a file (plain or compressed), a Parquet file or standard input, to a vocabulary and token
 * numbers, with progress. What a file is, its first bytes say. It is read twice, to count and to encode, so it may be
 * larger than memory. Standard input and pipes can be read only once, so their first pass writes a copy to disk for
 * the second.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TextReading } from '@vastmax/lm-models/text';
import {
  countTokens,
  encodeTokens,
  SparseDataError,
  type LinePart,
  type Vocabulary,
  type VocabularyCounter,
} from '@vastmax/sparse-data';
import { isPipe, isStandardInput, readText } from '@vastmax/sparse-data/node';
import { readParquetTexts, isParquetFile } from '@vastmax/text-readers/node';
import { CommandFailure } from '../terminal/errors.ts';
import { count, Progress, warn } from '../terminal/terminal.ts';

export interface ReadingOptions {
  readonly signal?: AbortSignal;
  /** @param total bytes or rows in all; Infinity for standard input. */
  readonly onProgress?: (read: number, total: number) => void;
}

const blockLength = 2 ** 20;

/** Whether a text can be read only once: standard input, a named pipe, `<(…)`. */
export async function isStream(path: string): Promise<boolean> {
  return isStandardInput(path) || (await isPipe(path));
}

export class TextSource implements AsyncDisposable {
  /** `-` is standard input. */
  readonly path: string;
  readonly #column: string;
  readonly #copies: boolean;
  #folder: string | undefined;
  #copy: string | undefined;
  #hasWarned = false;

  /** @param options `column` of a Parquet file; `copy`: whether the first reading makes a copy for those after it. */
  constructor(
    path: string,
    { column = 'text', copy = false }: { readonly column?: string; readonly copy?: boolean } = {},
  ) {
    this.path = path;
    this.#column = column;
    this.#copies = copy;
  }

  /** The lines; one of more than a megabyte in parts, except for a text of a Parquet file. */
  async *lines(options: ReadingOptions = {}): AsyncGenerator<string | LinePart, void, undefined> {
    if (this.path !== '-' && (await isParquetFile(this.path))) {
      yield* readParquetTexts(this.path, { ...options, column: this.#column });
      return;
    }
    const lines = readText(this.#copy ?? this.path, {
      ...options,
      onWarning: (message) => {
        if (!this.#hasWarned) warn(message);
        this.#hasWarned = true;
      },
    });
    yield* this.#copies && this.#copy === undefined ? this.#copied(lines) : lines;
  }

  async *#copied(lines: AsyncIterable<string | LinePart>): AsyncGenerator<string | LinePart, void, undefined> {
    const parent = tmpdir();
    const fail = (error: unknown): never => {
      throw new CommandFailure(
        `${isStandardInput(this.path) ? 'standard input' : this.path} is read twice, and its copy in ${parent} could not be written: ${error instanceof Error ? error.message : String(error)}; set TMPDIR to a folder with more room, or give a file`,
        { cause: error },
      );
    };
    this.#folder = await mkdtemp(join(parent, 'vastmax-')).catch(fail);
    const path = join(this.#folder, 'standard-input.txt');
    await using file = await open(path, 'w').catch(fail);
    // readText drops one byte order mark at the start, and a carriage return at the end of a line, so one of each is
    // added to read the copy as the original.
    let block = '\uFEFF';
    for await (const line of lines) {
      yield line;
      block += typeof line === 'string' ? `${line}${line.endsWith('\r') ? '\r' : ''}\n` : line.part;
      if (block.length < blockLength) continue;
      await file.writeFile(block).catch(fail);
      block = '';
    }
    await file.writeFile(block).catch(fail);
    this.#copy = path;
  }

  /** Deletes the copy. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}

export interface VocabularySettings {
  readonly minCount: number;
  readonly maxVocabulary?: number;
}

/** @param endOfLine token that is counted once per line, unless it is left out. */
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

/** SHA-256 of an encoded text, in hexadecimal. */
export function fingerprint(tokens: Int32Array): string {
  const hash = createHash('sha256');
  const block = 2 ** 26;
  for (let first = 0; first < tokens.length; first += block) hash.update(tokens.subarray(first, first + block));
  return hash.digest('hex');
}
