// Rows of numbers that stay in their file: a minibatch reads its own, and the page cache of the system answers where
// the file fits into memory.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { sourceOfStored, type DenseRowSource, type ReadBytes, type StoredRows } from '../dense/dense-rows.ts';
import { bytesOfNumber } from '../dense/stored-numbers.ts';
import { SparseDataError } from '../errors.ts';

/** An open file whose bytes are read at their places. */
export interface PlacedFile extends Disposable {
  readonly path: string;
  readonly bytes: number;
  /** @throws SparseDataError `unreadable-file` where the file ends before, or has changed. */
  readonly read: ReadBytes;
}

/**
 * Opens a regular file. It must be disposed.
 * @throws SparseDataError `missing-file`, `not-a-file`, `unreadable-file`.
 */
export function openPlacedFile(path: string): PlacedFile {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new SparseDataError('missing-file', `there is no file ${path}; check the path`, { cause: error });
    throw new SparseDataError('unreadable-file', `${path} cannot be read (${message}); check its permissions`, {
      cause: error,
    });
  }
  const stats = fstatSync(descriptor);
  if (!stats.isFile()) {
    closeSync(descriptor);
    throw new SparseDataError(
      'not-a-file',
      `${path} is ${stats.isDirectory() ? 'a directory' : 'not a regular file'}; a regular file is needed, which can be read at any place`,
    );
  }
  const read: ReadBytes = (into, position) => {
    const now = fstatSync(descriptor);
    if (now.size !== stats.size || now.mtimeMs !== stats.mtimeMs)
      throw new SparseDataError(
        'unreadable-file',
        `${path} has changed since it was opened; leave it as it is while it is read`,
      );
    for (let done = 0; done < into.length;) {
      const count = readSync(descriptor, into, done, into.length - done, position + done);
      if (count === 0)
        throw new SparseDataError(
          'unreadable-file',
          `${path} ends at byte ${position + done}; ${into.length} bytes from byte ${position} on are needed`,
        );
      done += count;
    }
  };
  let isOpen = true;
  return {
    path,
    bytes: stats.size,
    read,
    [Symbol.dispose]: () => {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

/**
 * Rows that are stored in a file one after the other: `inputs` of DenseBatches.
 * @throws SparseDataError `shape` when the file has fewer bytes than the rows need.
 */
export function storedRowsOfFile({ path, bytes, read }: PlacedFile, stored: StoredRows): DenseRowSource {
  const needed = stored.start + stored.rows * stored.columns * bytesOfNumber[stored.type];
  if (!(needed <= bytes))
    throw new SparseDataError(
      'shape',
      `${path} has ${bytes} bytes; ${stored.rows} rows of ${stored.columns} ${stored.type} from byte ${stored.start} on need ${needed}`,
    );
  return sourceOfStored(stored, read);
}
