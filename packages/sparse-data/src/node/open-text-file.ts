import { createReadStream } from 'node:fs';
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import process from 'node:process';
import { pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { SparseDataError } from '../errors.ts';

/** The path that means standard input. */
const STANDARD_INPUT = '-';

export interface OpenTextFile {
  /** The bytes of the text, decompressed. */
  readonly text: Readable;
  /** The file as it is on disk, or standard input. */
  readonly file: Readable;
  /** Bytes of the file read so far, or undefined where the file does not count them. */
  readonly bytesRead: () => number | undefined;
  /** Infinity for what has no size: standard input, pipes and devices. */
  readonly fileBytes: number;
}

/**
 * Opens a file for streaming, through a decompressor where its name ends in .gz or .br; `-` is standard input, not
 * decompressed.
 */
export async function openTextFile(path: string, chunkBytes: number): Promise<OpenTextFile> {
  if (path === STANDARD_INPUT) {
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
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const decoder = path.endsWith('.gz') ? createGunzip() : path.endsWith('.br') ? createBrotliDecompress() : undefined;
  // pipeline hands an error of the file on to the decoder, whose reader then gets it; there is nothing else to do with
  // it.
  if (decoder !== undefined) pipeline(file, decoder, () => undefined);
  return {
    text: decoder ?? file,
    file,
    bytesRead: () => file.bytesRead,
    fileBytes: stats.isFile() ? stats.size : Number.POSITIVE_INFINITY,
  };
}

/** What to call a path in a message. */
export function inputName(path: string): string {
  return path === STANDARD_INPUT ? 'standard input' : path;
}

/**
 * What a failed open, read or decompression means, as a typed error with the system's own as its cause; other errors as
 * they are.
 */
export function fileError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  const cause = { cause: error };
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    return new SparseDataError('missing-file', `readLines: there is no file ${path}; check the path`, cause);
  // Zlib's codes begin with Z_, Brotli's with ERR_BROTLI or, as Node spells them, ERR__ERROR.
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
