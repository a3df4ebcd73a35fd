import { VocabularyCounter } from './vocabulary-counter.ts';
import type { Vocabulary } from './vocabulary.ts';
import type { CancellationSignal } from '../cancellation.ts';
import { SparseDataError, show } from '../errors.ts';
import { partsOfLine, type LinePart } from './long-lines.ts';

const PROGRESS_INTERVAL = 2 ** 16;

/** Lines of text, such as readLines of `@vastmax/sparse-data/node` gives, or an array of strings. */
export type TextLines = AsyncIterable<string> | Iterable<string>;

/** Lines of any length, such as readText of `@vastmax/sparse-data/node` gives: a long one in parts. */
export type TextLinesInParts = AsyncIterable<string | LinePart> | Iterable<string | LinePart>;

/** How lines become tokens, and how to stop and to see how many there are. */
export interface TokenStreamOptions {
  /** Splits a line into tokens; default whitespaceTokens. */
  readonly tokenize?: Tokenize;
  /** A token, such as <eos>, that is added at the end of every line, including empty lines; default none. */
  readonly endOfLine?: string;
  /** Called with the number of tokens so far about every 65,536 tokens, and at the end. */
  readonly onProgress?: (tokens: number) => void;
  /** Checked before every line; if aborted, the call rejects with the signal's reason. */
  readonly signal?: CancellationSignal;
}

/**
 * The tokens of a text as classes of a vocabulary. Unknown tokens become the vocabulary's unknown token. A line of more
 * than 2^20 characters is tokenised in parts that end before white space, or, where there is none, after a full stop of
 * Chinese or Japanese: words are the same, a subword tokenizer gets each part as a text of its own. Memory: 4
 * bytes per token for the result and, until it is complete, typically 1.6 bytes more (at most 3 for fewer than 2^21
 * classes).
 * @throws SparseDataError `unknown-token`, with line and token, if the vocabulary has no unknown token, and for an
 * endOfLine that is not in the vocabulary; whatever the lines throw; the signal's reason.
 */
export async function encodeTokens(
  lines: TextLinesInParts,
  vocabulary: Vocabulary,
  options: TokenStreamOptions = {},
): Promise<Int32Array> {
  if (options.endOfLine !== undefined && !vocabulary.has(options.endOfLine)) {
    throw new SparseDataError(
      'unknown-token',
      `encodeTokens: endOfLine ${show(options.endOfLine)} is not one of the vocabulary's ${vocabulary.size} tokens; it must be one of its special tokens`,
    );
  }
  const ids = new BytePackedIntegers();
  await forEachToken(lines, options, (token, line) => {
    const id = vocabulary.idOf(token);
    if (id === undefined) {
      throw new SparseDataError(
        'unknown-token',
        `encodeTokens: line ${line}: token ${show(token)} is not one of the vocabulary's ${vocabulary.size}, and it has no unknown token; build it with one`,
      );
    }
    ids.push(id);
  });
  return ids.toInt32Array();
}

/**
 * Counts the tokens of a text in the given counter, or in a new one, from which a vocabulary can be built. Throws as
 * encodeTokens.
 */
export async function countTokens(
  lines: TextLinesInParts,
  options: TokenStreamOptions & { readonly counter?: VocabularyCounter } = {},
): Promise<VocabularyCounter> {
  const { counter = new VocabularyCounter() } = options;
  await forEachToken(lines, options, (token) => {
    counter.add(token);
  });
  return counter;
}

async function forEachToken(
  lines: TextLinesInParts,
  options: TokenStreamOptions,
  visit: (token: string, line: number) => void,
): Promise<void> {
  const { tokenize = whitespaceTokens, endOfLine, onProgress, signal } = options;
  let line = 1;
  let tokens = 0;
  let reported = 0;
  signal?.throwIfAborted();
  for await (const item of lines) {
    for (const part of partsOfLine(typeof item === 'string' ? item : item.part)) {
      signal?.throwIfAborted();
      for (const token of tokenize(part)) {
        visit(token, line);
        tokens++;
      }
    }
    if (typeof item === 'string') {
      if (endOfLine !== undefined) {
        visit(endOfLine, line);
        tokens++;
      }
      line++;
    }
    if (tokens - reported >= PROGRESS_INTERVAL) {
      reported = tokens;
      onProgress?.(tokens);
    }
  }
  onProgress?.(tokens);
}

// A growing list of non-negative 31-bit integers, stored as 7-bit groups, low first (LEB128), in blocks that are never
// copied. Class ids are sorted by frequency, so most need one or two bytes. A stream of unknown length is therefore
// collected in about 1.6 bytes per token and then unpacked once into an Int32Array. Doubling an Int32Array would need a
// peak of 8 to 12 bytes per token.

const BLOCK_BYTES = 2 ** 18;
const LONGEST = 5;

export class BytePackedIntegers {
  readonly #blocks: Uint8Array[] = [];
  #block: Uint8Array = new Uint8Array(BLOCK_BYTES);
  #used = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** @param value an integer in [0, 2^31), unchecked. */
  push(value: number): void {
    if (this.#used > BLOCK_BYTES - LONGEST) {
      this.#blocks.push(this.#block.subarray(0, this.#used));
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#used = 0;
    }
    const block = this.#block;
    let rest = value;
    while (rest > 127) {
      block[this.#used++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    block[this.#used++] = rest;
    this.#length++;
  }

  toInt32Array(): Int32Array {
    const result = new Int32Array(this.#length);
    let at = 0;
    for (const block of [...this.#blocks, this.#block.subarray(0, this.#used)]) {
      let value = 0;
      let shift = 0;
      for (let position = 0; position < block.length; position++) {
        const byte = block[position]!;
        value |= (byte & 127) << shift;
        shift += 7;
        if (byte < 128) {
          result[at++] = value;
          value = 0;
          shift = 0;
        }
      }
    }
    return result;
  }
}

/** Splits a line into tokens. */
export type Tokenize = (line: string) => Iterable<string>;

/**
 * Tokens separated by Unicode white space, for text that is already tokenised, such as WikiText. Unlike \s in a regular
 * expression, U+FEFF is not white space here (as in Unicode): WikiText-2 contains it as a word.
 */
export function whitespaceTokens(line: string): string[] {
  return line.match(/\P{White_Space}+/gu) ?? [];
}

// A word starts with a letter or digit and continues with letters, digits and combining marks. Several such parts may
// be joined by an apostrophe or a hyphen, or by a point or comma between digits. Any other character, except white
// space, is a separate token, with its combining marks. No part can match in two ways, so the time is linear in the
// length of the line.
const WORD_OR_MARK =
  /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:(?:['’\u2010\u2011-]|(?<=\p{N})[.,](?=\p{N}))[\p{L}\p{N}][\p{L}\p{M}\p{N}]*)*|\P{White_Space}\p{M}*/gu;

/** `lowerCase` makes letters small. */
export interface WordTokensOptions {
  /** Whether to convert to lower case, independent of the locale; default false. */
  readonly lowerCase?: boolean;
}

/**
 * Words (with inner apostrophes and hyphens: don't, well-being), numbers (1,000.5) and each punctuation mark as a
 * separate token: `"Don't," he said.` gives `"`, `Don't`, `,`, `"`, `he`, `said`, `.`. Unicode aware; linear in the
 * length of the line.
 */
export function wordTokens(line: string, options: WordTokensOptions = {}): string[] {
  return (options.lowerCase === true ? line.toLowerCase() : line).match(WORD_OR_MARK) ?? [];
}
