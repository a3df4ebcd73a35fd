// Reads text files as a stream of lines. Memory is bounded by the read size and the longest line.
//
// A line feed byte never occurs inside a UTF-8 sequence. So bytes are first split at line feeds, and then whole lines
// are decoded: there is no decoder state between chunks, and an invalid byte has a line number. readline was rejected
// because it silently replaces invalid bytes and treats U+2028 as a line end, TextDecoder because it does not report
// the position of an invalid byte.

import { Buffer, isUtf8 } from 'node:buffer';
import type { CancellationSignal } from '../cancellation.ts';
import { SparseDataError, checkInteger } from '../errors.ts';
import { byteOrderMarkLength, LINE_FEED } from '../text/byte-lines.ts';
import { findPartEnd, PART_LENGTH, type LinePart } from '../text/long-lines.ts';
import { inputName, kindOfBytes, openBytes } from './open-bytes.ts';

/** How to stop and to see how much is read, what becomes of bytes that are not UTF-8, and limits. */
export interface ReadLinesOptions {
  /**
   * Checked before each chunk; if aborted, iteration throws the signal's reason. An AbortSignal also ends the wait for
   * a pipe or standard input that sends nothing.
   */
  readonly signal?: CancellationSignal;
  /**
   * Called after each chunk with the bytes of the file read so far (compressed ones of a compressed file) and its
   * size: Infinity for standard input and pipes.
   */
  readonly onProgress?: (bytes: number, fileBytes: number) => void;
  /**
   * Called with what is suspicious but no error: a line other than the first that begins with a byte order mark, as
   * where files were joined. It stays in the line, since some texts have it as a word. Once a file.
   */
  readonly onWarning?: (message: string) => void;
  /** If given, a line that is not UTF-8 is left out, and this is called with its number; else it is an error. */
  readonly onNotUtf8?: (line: number) => void;
  /** Longest allowed line, in bytes, so that a file without line ends does not fill the memory; default 64 MiB. */
  readonly maximumLineBytes?: number;
  /** Number of bytes per read; default 256 KiB. */
  readonly chunkBytes?: number;
  /** Whether lines keep their \n or \r\n, for formats in which a line break can be data; default false. */
  readonly keepLineEnds?: boolean;
}

/**
 * The lines of a UTF-8 text file, as a stream. A file that begins as gzip or (from Node 22.15 on) zstd does is
 * decompressed whatever its name, one of Brotli if its name ends in `.br`. Lines end with \n or \r\n; the last line may
 * have no line end; a byte order mark at the start is removed. Leaving the loop early closes the file.
 * @param path path of a file or a named pipe, or `-` for standard input, which can be read only once.
 * @throws SparseDataError on iteration: `missing-file`, `not-a-file`, `unreadable-file`, `empty-input` (no bytes),
 * `not-utf8` (with line, byte offset in the text, and byte; or with what the file is: Parquet, UTF-16),
 * `line-too-long`, `corrupt-compression`. The lines before the error are still returned.
 */
export function readLines(path: string, options: ReadLinesOptions = {}): AsyncGenerator<string, void, undefined> {
  // Without the last argument there are no parts.
  return assembleLines(path, options) as AsyncGenerator<string, void, undefined>;
}

/**
 * As readLines, for a text of sentences or words: a line of more than a megabyte comes in parts, each as an object,
 * and its end as a string. A part ends before white space, or where there is none after a full stop of Chinese or
 * Japanese; `maximumLineBytes` is then the longest text without either. For countTokens and encodeTokens.
 */
export function readText(
  path: string,
  options: Omit<ReadLinesOptions, 'keepLineEnds'> = {},
): AsyncGenerator<string | LinePart, void, undefined> {
  return assembleLines(path, options, PART_LENGTH);
}

async function* assembleLines(
  path: string,
  options: ReadLinesOptions,
  partBytes = Infinity,
): AsyncGenerator<string | LinePart, void, undefined> {
  const { signal, onProgress, maximumLineBytes = 2 ** 26, chunkBytes = 2 ** 18 } = options;
  // A string of V8 has fewer than 2^29 characters.
  checkInteger('readLines', 'maximumLineBytes', maximumLineBytes, 1, 2 ** 28);
  checkInteger('readLines', 'chunkBytes', chunkBytes, 1, 2 ** 28);
  signal?.throwIfAborted();
  const name = inputName(path);
  const lines = new LineAssembler(name, maximumLineBytes, partBytes, options);
  let textBytes = 0;
  const opened = await openBytes(path, { chunkBytes, signal });
  try {
    checkIsText(opened.head, name);
    for await (const chunk of opened.chunks) {
      signal?.throwIfAborted();
      yield* lines.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      textBytes += chunk.length;
      onProgress?.(opened.bytesRead() ?? textBytes, opened.fileBytes);
    }
    signal?.throwIfAborted();
    yield* lines.end();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    opened.close();
  }
}

/** @throws SparseDataError `not-utf8` for bytes that are known to begin another kind of file. */
export function checkIsText(head: Uint8Array, name: string): void {
  const kind = kindOfBytes(head);
  if (kind !== undefined)
    throw new SparseDataError(
      'not-utf8',
      kind === 'Parquet'
        ? `readLines: ${name} is a Parquet file, which has no lines; a file of text is needed here`
        : `readLines: ${name} is compressed by ${kind}${kind === 'gzip' ? ' twice' : ''}; decompress it`,
    );
  const encoding = utf16Of(head);
  if (encoding !== undefined)
    throw new SparseDataError(
      'not-utf8',
      `readLines: ${name} is ${encoding}, not UTF-8; convert it: iconv -f ${encoding.split(' ')[0] ?? ''} -t UTF-8`,
    );
}

/**
 * UTF-16 by its byte order mark, or, without one, by the zero bytes of its Latin letters, digits and spaces, which are
 * valid UTF-8 and would be read as words of single letters.
 */
function utf16Of(head: Uint8Array): string | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'UTF-16 (little-endian)';
  if (head[0] === 0xfe && head[1] === 0xff) return 'UTF-16 (big-endian)';
  const zeros: [even: number, odd: number] = [0, 0];
  for (let at = 0; at < head.length; at++) if (head[at] === 0) zeros[at % 2 === 0 ? 0 : 1]++;
  const [even, odd] = zeros;
  if (even + odd > 3 && 2 * (even + odd) > head.length) return 'UTF-32 without a byte order mark';
  // Even a text of other letters has spaces, digits or line ends, and zeros at the other places are of no UTF-16.
  const areMany = (count: number): boolean => count >= 3 && 64 * count >= head.length;
  if (areMany(odd) && even === 0) return 'UTF-16LE without a byte order mark';
  return areMany(even) && odd === 0 ? 'UTF-16BE without a byte order mark' : undefined;
}

/** Splits chunks of bytes into lines; keeps the start of an incomplete line for the next chunk. */
class LineAssembler {
  readonly #path: string;
  readonly #maximumLineBytes: number;
  readonly #partBytes: number;
  readonly #options: ReadLinesOptions;
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  /** Held bytes at which a part of the line is looked for. */
  #nextPart: number;
  #lineNumber = 1;
  /** Offset in the text of the first byte of the current line. */
  #offset = 0;
  #isInLine = false;
  #hasWarned = false;

  /** @param partBytes from this length on a line comes in parts. */
  constructor(path: string, maximumLineBytes: number, partBytes: number, options: ReadLinesOptions) {
    this.#path = path;
    this.#maximumLineBytes = maximumLineBytes;
    this.#partBytes = partBytes;
    this.#nextPart = partBytes;
    this.#options = options;
  }

  *push(chunk: Buffer): Generator<string | LinePart, void, undefined> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      this.#hold(chunk.subarray(start, end));
      yield* this.#parts();
      const line = this.#take();
      start = end + 1;
      yield* this.#decode(line, '\n');
      this.#offset += line.length + 1;
      this.#lineNumber++;
      this.#isInLine = false;
    }
    this.#hold(chunk.subarray(start));
    yield* this.#parts();
  }

  *end(): Generator<string | LinePart, void, undefined> {
    if (this.#offset === 0 && this.#pieceBytes === 0) {
      throw new SparseDataError(
        'empty-input',
        `readLines: ${this.#path} is empty (0 bytes of text); at least one line is needed`,
      );
    }
    if (this.#pieceBytes > 0) yield* this.#decode(this.#take(), '');
  }

  #hold(bytes: Buffer): void {
    if (this.#pieceBytes + bytes.length > this.#maximumLineBytes) {
      throw new SparseDataError(
        'line-too-long',
        `readLines: ${this.#path}: line ${this.#lineNumber} has more than ${this.#maximumLineBytes} bytes${this.#partBytes < Infinity ? ' without white space' : ''}, which is the limit; is it a text file?`,
      );
    }
    if (bytes.length > 0) this.#pieces.push(bytes);
    this.#pieceBytes += bytes.length;
  }

  #take(): Buffer {
    const line = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#nextPart = this.#partBytes;
    return line;
  }

  /** The parts that the held bytes have; the rest is held on. */
  *#parts(): Generator<LinePart, void, undefined> {
    while (this.#pieceBytes > this.#nextPart) {
      const tried = this.#nextPart;
      const held = this.#take();
      const end = findPartEnd(held, tried, 3);
      this.#hold(held.subarray(end));
      if (end === 0) {
        // Doubled, so that the search takes a time in proportion to the text.
        this.#nextPart = 2 * tried;
        continue;
      }
      for (const part of this.#decode(held.subarray(0, end), '', true)) yield { part };
      this.#offset += end;
      this.#isInLine = true;
    }
  }

  *#decode(line: Buffer, lineEnd: '\n' | '', isPart = false): Generator<string, void, undefined> {
    const { onNotUtf8, onWarning, keepLineEnds = false } = this.#options;
    if (!isUtf8(line)) {
      if (onNotUtf8 !== undefined) {
        onNotUtf8(this.#lineNumber);
        return;
      }
      const at = findInvalidUtf8(line);
      const byte = (line[at] ?? 0).toString(16).toUpperCase().padStart(2, '0');
      throw new SparseDataError(
        'not-utf8',
        `readLines: ${this.#path}: line ${this.#lineNumber}: byte 0x${byte} at offset ${this.#offset + at} is not valid UTF-8; convert the file to UTF-8, e.g. with iconv`,
      );
    }
    const markLength = this.#isInLine ? 0 : byteOrderMarkLength(line);
    if (markLength > 0 && this.#offset > 0 && !this.#hasWarned) {
      this.#hasWarned = true;
      onWarning?.(
        `${this.#path}: line ${this.#lineNumber} begins with a byte order mark (U+FEFF), as where files were joined; it is read as a part of its first word`,
      );
    }
    const start = this.#offset === 0 ? markLength : 0;
    if (keepLineEnds) {
      yield line.toString('utf8', start) + lineEnd;
      return;
    }
    const end = !isPart && line[line.length - 1] === 0x0d ? line.length - 1 : line.length;
    yield line.toString('utf8', start, end);
  }
}

// Finds the first byte that is not well-formed UTF-8 (Unicode 16, table 3-7). Decoders do not report its position.

/**
 * The offset of the first byte of the first ill-formed sequence in [start, end), or −1. A sequence that is truncated at
 * `end` is ill-formed.
 */
export function findInvalidUtf8(bytes: Uint8Array, start: number = 0, end: number = bytes.length): number {
  let at = start;
  while (at < end) {
    const lead = bytes[at]!;
    const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (length === 0 || at + length > end) return at;
    for (let place = 1; place < length; place++) {
      const byte = bytes[at + place]!;
      // The range of the second byte excludes overlong forms (E0, F0), surrogates (ED) and code points above U+10FFFF
      // (F4).
      const lowest = place > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
      const highest = place > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
      if (byte < lowest || byte > highest) return at;
    }
    at += length;
  }
  return -1;
}
