/**
 * One line of XMC or LIBSVM text, as bytes, to entries of a row of features and of a row of labels: no string is made of
 * it. A decimal number of at most 15 digits is an integer over a power of ten, both exact in a double, and their quotient
 * is the nearest double; others, such as `-1.5e3`, are decoded.
 */
import type { CsrBuffer } from '../csr/csr-buffer.ts';
import { show, type SparseDataError } from '../errors.ts';
import { lineError, parseCount, parseNumber } from '../records/record-lines.ts';
import { decodeUtf8, encodeUtf8, MAX_BYTES_PER_UNIT } from '../texts/utf8.ts';

const TAB = 0x09;
const SPACE = 0x20;
const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
/** Of a number that is exact in a double, whatever they are. */
const EXACT_DIGITS = 15;
const POWERS_OF_TEN = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, power) => Number(`1e${power}`));

export interface XmcLineOptions {
  /** Of the input, in errors. */
  readonly name: string;
  /** The number of the first feature in the text. */
  readonly firstFeature: number;
  /** What the entries of a line are added to; the caller ends the rows. */
  readonly features: CsrBuffer;
  readonly labels: CsrBuffer;
}

export class XmcLineParser {
  readonly #name: string;
  readonly #firstFeature: number;
  readonly #features: CsrBuffer;
  readonly #labels: CsrBuffer;
  #line = 0;

  constructor({ name, firstFeature, features, labels }: XmcLineOptions) {
    this.#name = name;
    this.#firstFeature = firstFeature;
    this.#features = features;
    this.#labels = labels;
  }

  /**
   * @param bytes well-formed UTF-8, of which [start, end) is the line.
   * @throws SparseDataError `bad-xmc`, `index-out-of-range`
   */
  parse(bytes: Uint8Array, start: number, end: number, line: number): void {
    this.#line = line;
    const first = skipSpace(bytes, start, end);
    const last = skipSpaceBack(bytes, first, end);
    const mayHaveOtherSpace = first < last && (bytes[first]! > 0x7f || bytes[last - 1]! > 0x7f);
    if (mayHaveOtherSpace) {
      const text = decodeUtf8(bytes, start, end);
      const trimmed = text.trim();
      const copy = new Uint8Array(trimmed.length * MAX_BYTES_PER_UNIT);
      this.#parseTrimmed(copy, 0, encodeUtf8(trimmed, copy, 0), !/^\s/.test(text));
    } else this.#parseTrimmed(bytes, first, last, first === start);
  }

  #parseTrimmed(bytes: Uint8Array, start: number, end: number, mayHaveLabels: boolean): void {
    let at = start;
    if (mayHaveLabels && at < end) {
      const labelsEnd = endOfEntry(bytes, at, end);
      if (!has(bytes, COLON, at, labelsEnd)) {
        this.#parseLabels(bytes, at, labelsEnd);
        at = labelsEnd;
      }
    }
    for (let entry = 1; ; entry++) {
      while (at < end && isSeparator(bytes[at]!)) at++;
      if (at >= end) return;
      at = this.#parseFeature(bytes, at, end, entry);
    }
  }

  #parseLabels(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at <= end;) {
      let next = at;
      while (next < end && bytes[next] !== COMMA) next++;
      const label = countIn(bytes, at, next);
      if (label < 0) {
        throw this.#bad(
          `label ${show(decodeUtf8(bytes, at, next))} is not an integer of at least 0; labels are separated by commas, without spaces`,
        );
      }
      if (label >= this.#labels.columns) throw this.#outOfRange('label', label, this.#labels.columns, 0);
      this.#labels.add(label);
      at = next + 1;
    }
  }

  /** @returns the place after the entry. */
  #parseFeature(bytes: Uint8Array, start: number, end: number, entry: number): number {
    // `digits:digits.digits` in one pass; every other form, and whatever is wrong, is looked at again.
    let at = start;
    let feature = 0;
    let digit = bytes[at]! - ZERO;
    while (digit >= 0 && digit <= 9 && at < end) {
      feature = 10 * feature + digit;
      digit = bytes[++at]! - ZERO;
    }
    if (at === start || at - start > EXACT_DIGITS || at >= end || digit !== COLON - ZERO)
      return this.#parseOtherFeature(bytes, start, end, entry);
    const first = ++at;
    let digits = 0;
    let point = -1;
    for (; at < end; at++) {
      digit = bytes[at]! - ZERO;
      if (digit >= 0 && digit <= 9) digits = 10 * digits + digit;
      else if (digit === POINT - ZERO && point < 0) point = at;
      else break;
    }
    const count = at - first - (point < 0 ? 0 : 1);
    if ((at < end && !isSeparator(bytes[at]!)) || count === 0 || count > EXACT_DIGITS)
      return this.#parseOtherFeature(bytes, start, end, entry);
    this.#addFeature(feature, point < 0 ? digits : digits / POWERS_OF_TEN[at - point - 1]!);
    return at;
  }

  #parseOtherFeature(bytes: Uint8Array, start: number, end: number, entry: number): number {
    const entryEnd = endOfEntry(bytes, start, end);
    let colon = start;
    while (colon < entryEnd && bytes[colon] !== COLON) colon++;
    const feature = colon === entryEnd ? undefined : parseCount(decodeUtf8(bytes, start, colon));
    const value = parseNumber(decodeUtf8(bytes, Math.min(colon + 1, entryEnd), entryEnd));
    if (feature === undefined || value === undefined)
      throw this.#bad(
        `entry ${entry} is ${show(decodeUtf8(bytes, start, entryEnd))}; \`feature:value\`, an integer and a finite number, is needed`,
      );
    this.#addFeature(feature, value);
    return entryEnd;
  }

  #addFeature(feature: number, value: number): void {
    const column = feature - this.#firstFeature;
    if (column < 0 || column >= this.#features.columns)
      throw this.#outOfRange('feature', feature, this.#features.columns, this.#firstFeature);
    this.#features.add(column, value);
  }

  #bad(message: string): SparseDataError {
    return lineError('bad-xmc', 'parseXmc', this.#name, this.#line, message);
  }

  #outOfRange(kind: string, index: number, count: number, first: number): SparseDataError {
    return lineError(
      'index-out-of-range',
      'parseXmc',
      this.#name,
      this.#line,
      `${kind} is ${index}, but there are ${count} ${kind}s; ${count === 0 ? 'none is allowed' : `they are ${first}..${count - 1 + first}`}`,
    );
  }
}

function isSeparator(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

function endOfEntry(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && !isSeparator(bytes[at]!)) at++;
  return at;
}

function has(bytes: Uint8Array, byte: number, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === byte) return true;
  return false;
}

/** White space of ASCII: a tab to a carriage return, and a space. */
function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= TAB && byte <= 0x0d);
}

export function skipSpace(bytes: Uint8Array, start: number, end: number): number {
  while (start < end && isSpace(bytes[start]!)) start++;
  return start;
}

function skipSpaceBack(bytes: Uint8Array, start: number, end: number): number {
  while (end > start && isSpace(bytes[end - 1]!)) end--;
  return end;
}

/** parseCount of the text in [start, end); −1 where it is undefined. */
function countIn(bytes: Uint8Array, start: number, end: number): number {
  if (start === end || end - start > EXACT_DIGITS) return parseCount(decodeUtf8(bytes, start, end)) ?? -1;
  let count = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    count = 10 * count + digit;
  }
  return count;
}
