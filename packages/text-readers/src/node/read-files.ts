/** Reads Parquet files and tokenizer.json files from disk, with the codecs that Node includes. */
import { SparseDataError } from '@vastmax/sparse-data';
import { access, constants, open, readFile, stat } from 'node:fs/promises';
import { type ParquetOptions, type ParquetRow, type ParquetTextOptions, textsOf } from '../parquet-rows.ts';
import { decodeInThread } from './parquet-thread.ts';
import { isPipe, kindOfBytes } from '@vastmax/sparse-data/node';
import { isUtf8 } from 'node:buffer';
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
 * parseParquet for a file. Codecs: snappy, gzip, Brotli and, from Node 22.15 on, zstd. A thread of its own decodes it,
 * for as long as `signal` is not aborted. Throws as parseParquet, and `missing-file`, `not-a-file`, `unreadable-file`,
 * and `record-too-long` when a row group needs more memory than 32 MiB and 64 times the size of the file.
 */
export async function* readParquet(
  path: string,
  options: Omit<ParquetOptions, 'name' | 'compressors'> = {},
): AsyncGenerator<ParquetRow, void, undefined> {
  options.signal?.throwIfAborted();
  yield* decodeInThread(path, await checkFile(path), options);
}

/** parseParquetTexts for a file, read as by readParquet. */
export async function* readParquetTexts(
  path: string,
  options: Omit<ParquetTextOptions, 'name' | 'compressors'> = {},
): AsyncGenerator<string, void, undefined> {
  const { column = 'text', ...rest } = options;
  yield* textsOf(readParquet(path, { ...rest, columns: [column] }), column, path);
}

/** Checks what can be said of the file before a thread opens it. @returns its size. */
async function checkFile(path: string): Promise<number> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory())
      throw new SparseDataError('not-a-file', `readParquet: ${path} is a directory; a file is needed`);
    if (!stats.isFile())
      throw new SparseDataError(
        'not-a-file',
        `readParquet: ${path} is not a regular file; a regular file is needed, because Parquet is read from its end`,
      );
    await access(path, constants.R_OK);
    return stats.size;
  } catch (error) {
    throw fileError('readParquet', path, error);
  }
}

/**
 * createSubwordTokenizer for a tokenizer.json file; `definition` is its text, without a byte order mark.
 * @throws SparseDataError `missing-file`, `not-a-file`, `unreadable-file`, `not-utf8`, `bad-json`, `bad-tokenizer`
 */
export async function readSubwordTokenizer(
  path: string,
  options: Omit<SubwordTokenizerOptions, 'name'> = {},
): Promise<SubwordTokenizer & { readonly definition: string }> {
  let bytes: Buffer;
  try {
    if (await isPipe(path))
      throw new SparseDataError(
        'not-a-file',
        `readSubwordTokenizer: ${path} is a pipe; a file is needed, which can be read more than once`,
      );
    bytes = await readFile(path);
  } catch (error) {
    throw fileError('readSubwordTokenizer', path, error);
  }
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
