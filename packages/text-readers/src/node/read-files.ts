/** Reads Parquet files and tokenizer.json files from disk, with the codecs that Node includes. */
import { SparseDataError } from '@vastmax/sparse-data';
import { kindOfBytes } from '@vastmax/sparse-data/node';
import { isUtf8 } from 'node:buffer';
import { open, readFile, stat, type FileHandle } from 'node:fs/promises';
import * as zlib from 'node:zlib';
import {
  parseParquet,
  parseParquetTexts,
  type ParquetCompressors,
  type ParquetOptions,
  type ParquetRow,
  type ParquetSource,
  type ParquetTextOptions,
} from '../parquet-rows.ts';
import { createSubwordTokenizer, type SubwordTokenizer, type SubwordTokenizerOptions } from '../subword-tokenizer.ts';

/**
 * Whether a file is Parquet: by its first bytes, and where they are of no known kind by its extension, in either case.
 * False for what cannot be read. A pipe is not opened, since that would take its first bytes.
 */
export async function isParquetFile(path: string): Promise<boolean> {
  const hasExtension = /\.parquet$/i.test(path);
  try {
    if (!(await stat(path)).isFile()) return hasExtension;
    await using handle = await open(path, 'r');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    const kind = kindOfBytes(buffer.subarray(0, bytesRead));
    return kind === 'Parquet' || (kind === undefined && hasExtension);
  } catch {
    return hasExtension;
  }
}

/**
 * parseParquet for a file. Codecs: snappy, gzip, Brotli and, from Node 22.15 on, zstd. Throws as parseParquet, and
 * `missing-file`, `not-a-file`, `unreadable-file`.
 */
export function readParquet(
  path: string,
  options: Omit<ParquetOptions, 'name'> = {},
): AsyncGenerator<ParquetRow, void, undefined> {
  return parseFile(path, (source) => parseParquet(source, { compressors: nodeCompressors(), ...options, name: path }));
}

/** parseParquetTexts for a file, read as by readParquet. */
export function readParquetTexts(
  path: string,
  options: Omit<ParquetTextOptions, 'name'> = {},
): AsyncGenerator<string, void, undefined> {
  return parseFile(path, (source) =>
    parseParquetTexts(source, { compressors: nodeCompressors(), ...options, name: path }),
  );
}

/** Opens the file, parses it, and closes it, also if the loop is left early. */
async function* parseFile<T>(
  path: string,
  parse: (source: ParquetSource) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stats = await handle.stat();
    if (!stats.isFile())
      throw new SparseDataError(
        'not-a-file',
        `readParquet: ${path} is not a regular file; a regular file is needed, because Parquet is read from its end`,
      );
    yield* parse(sourceOf(handle, stats.size, path));
  } catch (error) {
    throw fileError('readParquet', path, error);
  } finally {
    await handle?.close();
  }
}

function sourceOf(handle: FileHandle, byteLength: number, path: string): ParquetSource {
  return {
    byteLength,
    slice: async (start, end = byteLength) => {
      // The range comes from the footer of the file; it is checked before memory is allocated.
      if (!(start >= 0 && start <= end && end <= byteLength))
        throw new SparseDataError(
          'bad-parquet',
          `readParquet: ${path}: bytes ${start} to ${end} are asked for, the file has ${byteLength}; it is truncated or damaged`,
        );
      const bytes = new Uint8Array(end - start);
      for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await handle
          .read(bytes, done, bytes.length - done, start + done)
          .catch((error: unknown) => {
            throw fileError('readParquet', path, error);
          });
        if (bytesRead === 0)
          throw new SparseDataError(
            'bad-parquet',
            `readParquet: ${path} ends at byte ${start + done}; it had ${byteLength} when it was opened`,
          );
        done += bytesRead;
      }
      return bytes.buffer;
    },
  };
}

/**
 * The type of a synchronous decompression function. zstd exists from Node 22.15 on, and the types used here are those
 * of Node 20.
 */
type Decompress = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array;

/**
 * The codecs that Node includes: gzip, Brotli and, if available, zstd. The output of a page is limited to the length in
 * its header.
 */
function nodeCompressors(): ParquetCompressors {
  const limited =
    (decompress: Decompress) =>
    (bytes: Uint8Array, length: number): Uint8Array =>
      decompress(bytes, { maxOutputLength: Math.max(1, length) });
  const zstd: unknown = Reflect.get(zlib, 'zstdDecompressSync');
  return {
    GZIP: limited(zlib.gunzipSync),
    BROTLI: limited(zlib.brotliDecompressSync),
    ...(typeof zstd === 'function' ? { ZSTD: limited(zstd as Decompress) } : {}),
  };
}

/**
 * createSubwordTokenizer for a tokenizer.json file; `definition` is its text, without a byte order mark.
 * @throws SparseDataError `missing-file`, `not-a-file`, `unreadable-file`, `not-utf8`, `bad-json`, `bad-tokenizer`
 */
export async function readSubwordTokenizer(
  path: string,
  options: Omit<SubwordTokenizerOptions, 'name'> = {},
): Promise<SubwordTokenizer & { readonly definition: string }> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError('readSubwordTokenizer', path, error);
  });
  const kind = kindOfBytes(bytes);
  if (kind !== undefined || !isUtf8(bytes))
    throw new SparseDataError(
      'not-utf8',
      `readSubwordTokenizer: ${path} is ${kind === undefined ? 'not UTF-8' : `of the kind ${kind}, not JSON`}; convert it`,
    );
  // Decoding drops a byte order mark, which JSON.parse refuses.
  const definition = new TextDecoder().decode(bytes);
  let json: unknown;
  try {
    json = JSON.parse(definition);
  } catch (error) {
    throw new SparseDataError(
      'bad-json',
      `readSubwordTokenizer: ${path} (${definition.length} characters) is not JSON (${error instanceof Error ? error.message : String(error)})`,
      { cause: error },
    );
  }
  return { ...createSubwordTokenizer(json, { ...options, name: path }), definition };
}

/**
 * Converts an error of open or read to a SparseDataError with the system's error as its cause; returns other errors
 * unchanged.
 */
function fileError(where: string, path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return error;
  const cause = { cause: error };
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    return new SparseDataError('missing-file', `${where}: there is no file ${path}; check the path`, cause);
  if (error.code === 'EISDIR')
    return new SparseDataError('not-a-file', `${where}: ${path} is a directory; a file is needed`, cause);
  return new SparseDataError(
    'unreadable-file',
    `${where}: ${path} cannot be read (${error.message}); check its permissions and its disk`,
    cause,
  );
}
