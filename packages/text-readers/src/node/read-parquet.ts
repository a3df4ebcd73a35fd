import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { SparseDataError } from '@vastmax/sparse-data';
import type { ParquetOptions, ParquetRow, ParquetSource } from '../parquet-rows.ts';
import { parseParquet } from '../parquet-rows.ts';
import type { ParquetTextOptions } from '../parquet-texts.ts';
import { parseParquetTexts } from '../parquet-texts.ts';
import { fileError } from './file-error.ts';
import { nodeCompressors } from './parquet-compressors.ts';

/**
 * parseParquet over a file: snappy, gzip and Brotli, and zstd from Node 22.15 on. Throws as it, and `missing-file`,
 * `not-a-file`, `unreadable-file`.
 */
export function readParquet(
  path: string,
  options: Omit<ParquetOptions, 'name'> = {},
): AsyncGenerator<ParquetRow, void, undefined> {
  return overFile(path, (source) => parseParquet(source, { compressors: nodeCompressors(), ...options, name: path }));
}

/** parseParquetTexts over a file, as readParquet reads it. */
export function readParquetTexts(
  path: string,
  options: Omit<ParquetTextOptions, 'name'> = {},
): AsyncGenerator<string, void, undefined> {
  return overFile(path, (source) =>
    parseParquetTexts(source, { compressors: nodeCompressors(), ...options, name: path }),
  );
}

/** Leaving the loop early closes the file. */
async function* overFile<T>(
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
        `readParquet: ${path} is no regular file; one is needed, for Parquet is read from its end`,
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
      // What a footer says is compared with the file before it is allocated.
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
