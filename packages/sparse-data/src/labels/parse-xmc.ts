// Sparse text of the Extreme Classification Repository (Bhatia et al., manikvarma.org/downloads/XC), which is the
// LIBSVM format with a header and several labels per point:
//
//     points features labels
//     label,label feature:value feature:value
//
// A line that begins with white space, or whose first entry has a colon, is a point without labels.

import { type NamedInput, lineError, parseCount } from '../records/record-lines.ts';
import { checkInteger, show, SparseDataError } from '../errors.ts';
import { CsrBuffer } from '../csr/csr-buffer.ts';
import type { CsrRows } from '../csr/csr-rows.ts';
import { byteOrderMarkLength } from '../text/byte-lines.ts';
import type { TextLines } from '../text/token-stream.ts';
import { decodeUtf8, encodeUtf8, MAX_BYTES_PER_UNIT } from '../texts/utf8.ts';
import { skipSpace, XmcLineParser } from './xmc-line-parser.ts';

/** How many features and labels there are. */
export interface XmcShape {
  /** Number of features: columns of the inputs. */
  readonly features: number;
  /** Number of labels: columns of the targets. */
  readonly labels: number;
}

/** The first line of an XMC file: its points, features and labels. */
export interface XmcHeader extends XmcShape {
  readonly points: number;
}

/** One example: its labels, and its features with their values. */
export interface XmcPoint {
  /** Number of the line, from 1. */
  readonly line: number;
  /** The labels of the point, in the order of the file; may be empty. */
  readonly labels: Int32Array;
  readonly features: Int32Array;
  /** The value of each of `features`. */
  readonly values: Float64Array;
  /** The same object for all points of a file. */
  readonly shape: XmcShape;
}

/** Features and labels of many examples as sparse rows. */
export interface XmcRows {
  /** points×features: the values of the features. */
  readonly inputs: CsrRows;
  /** points×labels: weight 1 for each label. */
  readonly targets: CsrRows;
}

/** The shape where the file has no header, and the number of the first feature. */
export interface XmcOptions extends NamedInput {
  /**
   * Must be given for a file without a header, such as a LIBSVM file. The file may then have any number of points, and
   * blank lines are skipped.
   */
  readonly shape?: XmcShape;
  /**
   * The number of the first feature in the text: 0 (default), or 1 as in LIBSVM. In the parsed points features are
   * numbered from 0.
   */
  readonly firstFeature?: 0 | 1;
}

const LIMIT = 2 ** 31 - 1;

/**
 * The points of an XMC or LIBSVM file. A blank line is a point without labels and features, except after the last
 * point. Cost: O(characters); memory: one point.
 * @throws SparseDataError on iteration, naming the line: `bad-xmc` for text that is not of the format,
 * `index-out-of-range` for a feature or label beyond the shape, `wrong-count` if the number of points differs from the
 * header, `empty-input`; `bad-option`.
 */
export async function* parseXmc(lines: TextLines, options: XmcOptions = {}): AsyncGenerator<XmcPoint, void, undefined> {
  const reader = new XmcReader(options);
  let bytes = new Uint8Array(1024);
  for await (const text of lines) {
    if (bytes.length < text.length * MAX_BYTES_PER_UNIT) bytes = new Uint8Array(2 * text.length * MAX_BYTES_PER_UNIT);
    if (!reader.readLine(bytes, 0, encodeUtf8(text, bytes, 0))) continue;
    const { inputs, targets } = reader.take();
    const { indices, values } = inputs;
    yield {
      line: reader.line,
      labels: targets.indices.slice(),
      features: indices.slice(),
      values: values === undefined ? new Float64Array(indices.length).fill(1) : Float64Array.from(values),
      shape: reader.shape,
    };
  }
  reader.end();
}

/**
 * The first line of an XMC file.
 * @throws SparseDataError `bad-xmc`.
 */
export function parseXmcHeader(text: string, options: NamedInput = {}): XmcHeader {
  const { name = 'input' } = options;
  const numbers = text.trim().split(/\s+/).map(parseCount);
  const [points, features, labels] = numbers;
  if (
    numbers.length !== 3 ||
    points === undefined ||
    features === undefined ||
    labels === undefined ||
    features > LIMIT ||
    labels > LIMIT
  ) {
    throw lineError(
      'bad-xmc',
      'parseXmc',
      name,
      1,
      `${show(text)} is not a header; three integers \`points features labels\`, at most ${LIMIT}, are needed (for a file without a header give its shape)`,
    );
  }
  return { points, features, labels };
}

/** Reads lines, as bytes, into rows; knows what the header says. */
export class XmcReader {
  readonly #name: string;
  readonly #options: XmcOptions;
  #shape: XmcShape | undefined;
  #points = Number.POSITIVE_INFINITY;
  #seen = 0;
  #line = 0;
  #rows: { readonly features: CsrBuffer; readonly labels: CsrBuffer; readonly parser: XmcLineParser } | undefined;

  /** @throws SparseDataError `bad-option` */
  constructor(options: XmcOptions) {
    const { name = 'input', firstFeature = 0, shape } = options;
    this.#name = name;
    this.#options = options;
    checkInteger('parseXmc', 'firstFeature', firstFeature, 0, 1);
    if (shape === undefined) return;
    checkInteger('parseXmc', 'shape.features', shape.features, 0, LIMIT);
    checkInteger('parseXmc', 'shape.labels', shape.labels, 0, LIMIT);
    this.#begin(shape);
  }

  /** Of the last line that was read, from 1. */
  get line(): number {
    return this.#line;
  }

  /** Points that were read. */
  get points(): number {
    return this.#seen;
  }

  /** Must not be called before the header was read. */
  get shape(): XmcShape {
    if (this.#shape === undefined) throw new TypeError('XmcReader: the header has not been read');
    return this.#shape;
  }

  /**
   * @param bytes well-formed UTF-8, of which [start, end) is the line; its line end may be part of it.
   * @returns whether the line is a point, now the last row.
   */
  readLine(bytes: Uint8Array, start: number, end: number): boolean {
    this.#line++;
    // A byte order mark, at the start of the text or where texts were joined.
    start += byteOrderMarkLength(bytes, start, end);
    if (this.#rows === undefined) {
      const { points, features, labels } = parseXmcHeader(decodeUtf8(bytes, start, end), { name: this.#name });
      this.#points = points;
      this.#begin({ features, labels });
      return false;
    }
    const isLast = this.#seen === this.#points;
    if ((isLast || this.#options.shape !== undefined) && isBlank(bytes, start, end)) return false;
    if (isLast) {
      throw lineError(
        'wrong-count',
        'parseXmc',
        this.#name,
        this.#line,
        `point ${this.#seen + 1} follows, but the header says ${this.#points} points; correct the header or remove the line`,
      );
    }
    const { parser, features, labels } = this.#rows;
    parser.parse(bytes, start, end, this.#line);
    features.endRow();
    labels.endRow();
    this.#seen++;
    return true;
  }

  /** The rows since it was last called, valid until the next line is read. */
  take(): XmcRows {
    if (this.#rows === undefined) throw new TypeError('XmcReader: the header has not been read');
    const { features, labels } = this.#rows;
    const rows = { inputs: features.rows(), targets: labels.rows() };
    features.clear();
    labels.clear();
    return rows;
  }

  /** @throws SparseDataError `empty-input`, `wrong-count`, at the end of the input. */
  end(): void {
    if (this.#rows === undefined)
      throw new SparseDataError(
        'empty-input',
        `parseXmc: ${this.#name} has no lines; a header \`points features labels\` is needed`,
      );
    if (this.#options.shape === undefined && this.#seen < this.#points) {
      throw lineError(
        'wrong-count',
        'parseXmc',
        this.#name,
        this.#line,
        `the input ends after ${this.#seen} points, but the header says ${this.#points}; it is cut off, or the header is wrong`,
      );
    }
  }

  #begin(shape: XmcShape): void {
    this.#shape = shape;
    const features = new CsrBuffer(shape.features, { weighted: 'if-needed' });
    const labels = new CsrBuffer(shape.labels, { weighted: false });
    const { firstFeature = 0 } = this.#options;
    this.#rows = {
      features,
      labels,
      parser: new XmcLineParser({ name: this.#name, firstFeature, features, labels }),
    };
  }
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  const first = skipSpace(bytes, start, end);
  return first === end || (bytes[first]! > 0x7f && decodeUtf8(bytes, first, end).trim() === '');
}
