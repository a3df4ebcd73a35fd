import { createReadStream } from 'node:fs';
import type { ReadStream, Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { SparseDataError } from '../errors.ts';

export interface OpenTextFile {
  /** The bytes of the text, decompressed. */
  readonly text: Readable;
  /** The file as it is on disk: its bytesRead says how far reading has come. */
  readonly file: ReadStream;
  readonly fileBytes: number;
}

/** Opens a file for streaming, through a decompressor where its name ends in .gz or .br. */
export async function openTextFile(path: string, chunkBytes: number): Promise<OpenTextFile> {
  let stats: Stats;
  try {
    stats = await stat(path);
  } catch (error) {
    throw fileError(path, error);
  }
  if (stats.isDirectory()) throw new SparseDataError('not-a-file', `readLines: ${path} is a directory; a text file is needed`);
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const decoder = path.endsWith('.gz') ? createGunzip() : path.endsWith('.br') ? createBrotliDecompress() : undefined;
  // pipeline hands an error of the file on to the decoder, whose reader then gets it; there is nothing else to do with it.
  if (decoder !== undefined) pipeline(file, decoder, () => undefined);
  return { text: decoder ?? file, file, fileBytes: stats.size };
}

/** What a failed open, read or decompression means, as a typed error with the system's own as its cause; other errors as they are. */
export function fileError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  const cause = { cause: error };
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return new SparseDataError('missing-file', `readLines: there is no file ${path}; check the path`, cause);
  // Zlib's codes begin with Z_, Brotli's with ERR_BROTLI or, as Node spells them, ERR__ERROR.
  if (/^(Z_|ERR_BROTLI|ERR__ERROR)/.test(error.code)) {
    return new SparseDataError('corrupt-compression', `readLines: ${path} does not decompress (${error.message}); it is truncated, damaged or not what its extension says`, cause);
  }
  if (!('syscall' in error)) return error;
  return new SparseDataError('unreadable-file', `readLines: ${path} cannot be read (${error.message}); check its permissions and its disk`, cause);
}
