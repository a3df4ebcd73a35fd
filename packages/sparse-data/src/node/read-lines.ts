// Reads text files as a stream of lines. Memory is bounded by the read size and the longest line.
//
// A line feed byte never occurs inside a UTF-8 sequence. So bytes are first split at line feeds, and then whole lines
// are decoded: there is no decoder state between chunks, and an invalid byte has a line number. readline was rejected
// because it silently replaces invalid bytes and treats U+2028 as a line end, TextDecoder because it does not report
// the position of an invalid byte.

import { isUtf8 } from 'node:buffer';
import { constants, createReadStream, open, type ReadStream, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import process from 'node:process';
import { addAbortSignal, pipeline, type Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import type { CancellationSignal } from '../cancellation.ts';
import { SparseDataError, checkInteger } from '../errors.ts';

const LINE_FEED = 0x0a;

export interface ReadLinesOptions {
  /**
   * Checked before each chunk; if aborted, iteration throws the signal's reason. An AbortSignal also ends the wait for
   * a pipe or standard input that sends nothing.
   */
  readonly signal?: CancellationSignal;
  /**
   * Called after each chunk with the bytes of the file read so far (compressed ones for .gz and .br) and its size:
   * Infinity for standard input and pipes.
   */
  readonly onProgress?: (bytes: number, fileBytes: number) => void;
  /** Longest allowed line, in bytes, so that a file without line ends does not fill the memory; default 64 MiB. */
  readonly maximumLineBytes?: number;
  /** Number of bytes per read; default 256 KiB. */
  readonly chunkBytes?: number;
  /** Whether lines keep their \n or \r\n, for formats in which a line break can be data; default false. */
  readonly keepLineEnds?: boolean;
}

/**
 * The lines of a UTF-8 text file, as a stream; `.gz` and `.br` files are decompressed. Lines end with \n or \r\n; the
 * last line may have no line end; a byte order mark at the start is removed. Leaving the loop early closes the file.
 * @param path path of a file or a named pipe, or `-` for standard input, which can be read only once and is not
 * decompressed.
 * @throws SparseDataError on iteration: `missing-file`, `not-a-file`, `unreadable-file`, `empty-input` (no bytes),
 * `not-utf8` (with line, byte offset in the text, and byte), `line-too-long`, `corrupt-compression`. The lines before
 * the error are still returned.
 */
export async function* readLines(
  path: string,
  options: ReadLinesOptions = {},
): AsyncGenerator<string, void, undefined> {
  const { signal, onProgress, maximumLineBytes = 2 ** 26, chunkBytes = 2 ** 18, keepLineEnds = false } = options;
  // A string of V8 has fewer than 2^29 characters.
  checkInteger('readLines', 'maximumLineBytes', maximumLineBytes, 1, 2 ** 28);
  checkInteger('readLines', 'chunkBytes', chunkBytes, 1, 2 ** 28);
  signal?.throwIfAborted();
  const { text, file, bytesRead, fileBytes } = await openTextFile(path, chunkBytes);
  if (signal instanceof AbortSignal) addAbortSignal(signal, text);
  const lines = new LineAssembler(inputName(path), maximumLineBytes, keepLineEnds);
  let textBytes = 0;
  try {
    for await (const chunk of text as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      yield* lines.push(chunk);
      textBytes += chunk.length;
      onProgress?.(bytesRead() ?? textBytes, fileBytes);
    }
    signal?.throwIfAborted();
    yield* lines.end();
  } catch (error) {
    signal?.throwIfAborted();
    throw fileError(path, error);
  } finally {
    text.destroy();
    file.destroy();
  }
}

/** Splits chunks of bytes into lines; keeps the start of an incomplete line for the next chunk. */
class LineAssembler {
  readonly #path: string;
  readonly #maximumLineBytes: number;
  readonly #keepLineEnds: boolean;
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #lineNumber = 1;
  /** Offset in the text of the first byte of the current line. */
  #offset = 0;

  constructor(path: string, maximumLineBytes: number, keepLineEnds: boolean) {
    this.#path = path;
    this.#maximumLineBytes = maximumLineBytes;
    this.#keepLineEnds = keepLineEnds;
  }

  *push(chunk: Buffer): Generator<string, void, undefined> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      this.#checkLength(end - start);
      const rest = chunk.subarray(start, end);
      const line = this.#pieceBytes === 0 ? rest : Buffer.concat([...this.#pieces, rest]);
      this.#pieces = [];
      this.#pieceBytes = 0;
      start = end + 1;
      yield this.#decode(line, '\n');
      this.#offset += line.length + 1;
      this.#lineNumber++;
    }
    this.#checkLength(chunk.length - start);
    if (start < chunk.length) this.#pieces.push(chunk.subarray(start));
    this.#pieceBytes += chunk.length - start;
  }

  *end(): Generator<string, void, undefined> {
    if (this.#offset === 0 && this.#pieceBytes === 0) {
      throw new SparseDataError(
        'empty-input',
        `readLines: ${this.#path} is empty (0 bytes of text); at least one line is needed`,
      );
    }
    if (this.#pieceBytes > 0) yield this.#decode(Buffer.concat(this.#pieces), '');
  }

  #checkLength(bytes: number): void {
    if (this.#pieceBytes + bytes > this.#maximumLineBytes) {
      throw new SparseDataError(
        'line-too-long',
        `readLines: ${this.#path}: line ${this.#lineNumber} has more than ${this.#maximumLineBytes} bytes; is it a text file? If so, raise maximumLineBytes`,
      );
    }
  }

  #decode(line: Buffer, lineEnd: '\n' | ''): string {
    if (!isUtf8(line)) {
      const at = findInvalidUtf8(line);
      const byte = (line[at] ?? 0).toString(16).toUpperCase().padStart(2, '0');
      throw new SparseDataError(
        'not-utf8',
        `readLines: ${this.#path}: line ${this.#lineNumber}: byte 0x${byte} at offset ${this.#offset + at} is not valid UTF-8; convert the file to UTF-8, e.g. with iconv`,
      );
    }
    const start = this.#offset === 0 && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? 3 : 0;
    if (this.#keepLineEnds) return line.toString('utf8', start) + lineEnd;
    const end = line[line.length - 1] === 0x0d ? line.length - 1 : line.length;
    return line.toString('utf8', start, end);
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

/** The paths that mean standard input; the system's own cannot be opened where it is a socket. */
const STANDARD_INPUT: readonly string[] = ['-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'];

/** Whether a path means standard input: `-`, `/dev/stdin` and its like. */
export function isStandardInput(path: string): boolean {
  return STANDARD_INPUT.includes(path);
}

interface OpenTextFile {
  /** The bytes of the text, decompressed. */
  readonly text: Readable;
  /** The undecoded file, or standard input. */
  readonly file: Readable;
  /** Bytes of the file read so far, or undefined if the number is not known. */
  readonly bytesRead: () => number | undefined;
  /** Infinity for standard input, pipes and devices. */
  readonly fileBytes: number;
}

/**
 * Opens a file as a stream, with a decompressor if its name ends in .gz or .br. `-` is standard input, without
 * decompression.
 */
async function openTextFile(path: string, chunkBytes: number): Promise<OpenTextFile> {
  if (isStandardInput(path)) {
    return {
      text: process.stdin,
      file: process.stdin,
      bytesRead: () => undefined,
      fileBytes: Number.POSITIVE_INFINITY,
    };
  }
  let stats: Stats;
  try {
    stats = await stat(path);
  } catch (error) {
    throw fileError(path, error);
  }
  if (stats.isDirectory())
    throw new SparseDataError('not-a-file', `readLines: ${path} is a directory; a text file is needed`);
  const file = await openStream(path, stats, chunkBytes);
  const decoder = path.endsWith('.gz') ? createGunzip() : path.endsWith('.br') ? createBrotliDecompress() : undefined;
  // pipeline passes an error of the file to the decoder, and the reader of the decoder gets it, so the callback has
  // nothing to do.
  if (decoder !== undefined) pipeline(file, decoder, () => undefined);
  return {
    text: decoder ?? file,
    file,
    bytesRead: () => file.bytesRead,
    fileBytes: stats.isFile() ? stats.size : Number.POSITIVE_INFINITY,
  };
}

/**
 * Opening a named pipe waits for its writer, in a thread that nothing can interrupt, not even the end of the process. So
 * it is opened without waiting, and the event loop waits for what comes.
 */
async function openStream(path: string, stats: Stats, chunkBytes: number): Promise<ReadStream | Socket> {
  if (!stats.isFIFO()) return createReadStream(path, { highWaterMark: chunkBytes });
  try {
    // Node 20 takes the type of the file that was looked at last for that of the next module's folder, and resolves no
    // links behind a pipe: a later import() would fail.
    await stat('/');
    const descriptor = await promisify(open)(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return new Socket({ fd: descriptor, readable: true, writable: false });
  } catch (error) {
    throw fileError(path, error);
  }
}

/** The name of a path in messages. */
export function inputName(path: string): string {
  return isStandardInput(path) ? 'standard input' : path;
}

/**
 * Converts an error of open, read or decompression to a SparseDataError with the system's error as its cause; returns
 * other errors unchanged.
 */
function fileError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  const cause = { cause: error };
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    return new SparseDataError('missing-file', `readLines: there is no file ${path}; check the path`, cause);
  // Error codes of zlib begin with Z_, those of Brotli with ERR_BROTLI or, in Node, ERR__ERROR.
  if (/^(Z_|ERR_BROTLI|ERR__ERROR)/.test(error.code)) {
    return new SparseDataError(
      'corrupt-compression',
      `readLines: ${inputName(path)} does not decompress (${error.message}); it is truncated, damaged or not what its extension says`,
      cause,
    );
  }
  if (!('syscall' in error)) return error;
  return new SparseDataError(
    'unreadable-file',
    `readLines: ${inputName(path)} cannot be read (${error.message}); check its permissions and its disk`,
    cause,
  );
}
