/**
 * Texts with labels, collected as numbers: each distinct word and label once, and for each text the numbers of its words
 * and of its labels, in order of first appearance. One pass over a file of any format is enough: which words and labels
 * are kept, and which class each is, follows from the counts afterwards.
 *
 * Lines of fastText are read from their bytes, with no string for a word.
 */
import { CsrBuffer } from '../csr/csr-buffer.ts';
import type { CsrRows } from '../csr/csr-rows.ts';
import { endOfLine, LINE_FEED } from '../text/byte-lines.ts';
import { whitespaceTokens, type Tokenize } from '../text/token-stream.ts';
import { ByteStrings } from './byte-strings.ts';
import { EMPTY_HASH } from './ngram-hashes.ts';
import { MAX_BYTES_PER_UNIT, decodeUtf8, encodeUtf8 } from './utf8.ts';
import { BYTE_KINDS, LEAD, LINE_END, WORD, whiteSpaceLength } from './white-space.ts';

/** The word that fastText ends each line with; a feature of every text. */
export const END_OF_TEXT = '</s>';
/** What a label begins with in fastText's format. */
export const DEFAULT_LABEL_PREFIX = '__label__';

/** What a label begins with, and how texts become words. */
export interface LabelledTextsOptions {
  /** How the labels of `addLines` begin, `__label__` unless given; empty where no word of a line is a label. */
  readonly labelPrefix?: string;
  /** Splits a text into words; at Unicode white space unless given. */
  readonly tokenize?: Tokenize;
}

/** Words and labels of texts as sparse rows of numbers, read line by line. */
export class LabelledTexts {
  readonly words: ByteStrings = new ByteStrings();
  /** Without their prefix. */
  readonly labels: ByteStrings = new ByteStrings();
  readonly labelPrefix: string;
  readonly #prefix: Uint8Array;
  readonly #tokenize: Tokenize | undefined;
  readonly #wordRows = new CsrBuffer(0, { weighted: false });
  readonly #labelRows = new CsrBuffer(0, { weighted: false });
  readonly #endOfText: Uint8Array;
  #scratch = new Uint8Array(1024);

  constructor({ labelPrefix = DEFAULT_LABEL_PREFIX, tokenize }: LabelledTextsOptions = {}) {
    this.labelPrefix = labelPrefix;
    this.#prefix = this.#encode(labelPrefix).slice();
    this.#endOfText = this.#encode(END_OF_TEXT).slice();
    this.#tokenize = tokenize;
  }

  /** How many texts there are. */
  get size(): number {
    return this.#wordRows.rows().rows;
  }

  /** The words of each text, the last of which is `</s>`: numbers of `words`. */
  get wordRows(): CsrRows {
    return { ...this.#wordRows.rows(), columns: this.words.size };
  }

  /** The labels of each text: numbers of `labels`. */
  get labelRows(): CsrRows {
    return { ...this.#labelRows.rows(), columns: this.labels.size };
  }

  /**
   * Adds a text for each line of fastText: words with white space between, of which those that begin with the prefix are
   * labels. O(bytes).
   * @param block UTF-8, whole lines; the last may have no line end.
   * @throws SparseDataError as `ByteStrings.add`.
   */
  addLines(block: Uint8Array): void {
    if (this.#tokenize === undefined) {
      this.#addWhiteSpaced(block, true);
      if (block.length > 0 && block[block.length - 1] !== LINE_FEED) this.#endText();
      return;
    }
    for (let start = 0; start < block.length;) {
      const end = endOfLine(block, start);
      this.#addLine(decodeUtf8(block, start, end));
      start = end + 1;
    }
  }

  /** Adds a text whose labels are known. O(characters). */
  addText(text: string, labels: readonly string[] = []): void {
    for (const label of labels) this.#addLabel(label);
    this.#addWords(text);
    this.#endText();
  }

  #endText(): void {
    const { length } = this.#endOfText;
    this.#wordRows.add(this.words.add(this.#endOfText, 0, length));
    this.#wordRows.endRow();
    this.#labelRows.endRow();
  }

  #addWords(text: string): void {
    if (this.#tokenize === undefined) {
      this.#addWhiteSpaced(this.#encode(text), false);
      return;
    }
    for (const word of this.#tokenize(text)) {
      const bytes = this.#encode(word);
      this.#wordRows.add(this.words.add(bytes, 0, bytes.length));
    }
  }

  #addLabel(label: string): void {
    const bytes = this.#encode(label);
    this.#labelRows.add(this.labels.add(bytes, 0, bytes.length));
  }

  /** A line whose words a tokenizer finds, which does not see the labels. */
  #addLine(line: string): void {
    const prefix = this.labelPrefix;
    if (prefix === '') {
      this.addText(line);
      return;
    }
    const isLabel = (word: string): boolean => word.startsWith(prefix);
    const parts = whitespaceTokens(line);
    const labels = parts.filter(isLabel);
    const text = labels.length === 0 ? line : parts.filter((word) => !isLabel(word)).join(' ');
    this.addText(
      text,
      labels.map((label) => label.slice(prefix.length)),
    );
  }

  /** @param areLines whether a line end ends a text, and labels stand among the words. */
  #addWhiteSpaced(bytes: Uint8Array, areLines: boolean): void {
    const { length } = bytes;
    let start = 0;
    let hash = EMPTY_HASH;
    for (let at = 0; at < length; at++) {
      const byte = bytes[at]!;
      const kind = BYTE_KINDS[byte]!;
      let spaceBytes = 1;
      if (kind === LEAD) spaceBytes = whiteSpaceLength(bytes, at);
      if (kind === WORD || spaceBytes === 0) {
        // As addToHash, which is not inlined here.
        hash = Math.imul(hash ^ ((byte << 24) >> 24), 16777619);
        continue;
      }
      if (at > start) this.#addWord(bytes, start, at, hash, areLines);
      if (kind === LINE_END && areLines) this.#endText();
      at += spaceBytes - 1;
      start = at + 1;
      hash = EMPTY_HASH;
    }
    if (length > start) this.#addWord(bytes, start, length, hash, areLines);
  }

  #addWord(bytes: Uint8Array, start: number, end: number, hash: number, mayBeLabel: boolean): void {
    if (mayBeLabel && this.#hasPrefix(bytes, start, end)) {
      this.#labelRows.add(this.labels.add(bytes, start + this.#prefix.length, end));
      return;
    }
    this.#wordRows.add(this.words.add(bytes, start, end, hash));
  }

  #hasPrefix(bytes: Uint8Array, start: number, end: number): boolean {
    const prefix = this.#prefix;
    if (prefix.length === 0 || end - start < prefix.length) return false;
    for (let at = 0; at < prefix.length; at++) if (bytes[start + at] !== prefix[at]) return false;
    return true;
  }

  /** Valid until the next call. */
  #encode(text: string): Uint8Array {
    const maxBytes = MAX_BYTES_PER_UNIT * text.length;
    if (maxBytes > this.#scratch.length) this.#scratch = new Uint8Array(2 * maxBytes);
    return this.#scratch.subarray(0, encodeUtf8(text, this.#scratch, 0));
  }
}
