// A file comes into being whole or not at all: it is written under a temporary name, flushed to the disk, renamed
// (atomic on POSIX and NTFS), and its directory is flushed too, without which a power failure may take the name back.

import { createHash, randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface FileDigest {
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** Writes all of `bytes`, which may be reused afterwards. */
export type Append = (bytes: Uint8Array) => Promise<void>;

export interface TemporaryFile extends FileDigest {
  /** Gives the file its name. Before this it is not there, after this it is there whole. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/** Temporary names tell whose they are: `.NAME.PID-RANDOM.tmp`. */
export const temporaryPattern: RegExp = /^\..+\.(?<pid>\d+)-[0-9a-f]{12}\.tmp$/;

/** Fills a flushed temporary file beside `path`. When `write` throws, the file is gone again. */
export async function writeTemporary(path: string, write: (append: Append) => Promise<void>): Promise<TemporaryFile> {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  const discard = (): Promise<void> => rm(temporary, { force: true });
  const hash = createHash('sha256');
  let bytes = 0;
  const handle = await open(temporary, 'wx');
  try {
    await write(async (block) => {
      // A write may be partial, as near the end of a full disk.
      for (let done = 0; done < block.length;)
        done += (await handle.write(block, done, block.length - done)).bytesWritten;
      hash.update(block);
      bytes += block.length;
    });
    await handle.sync();
  } catch (error) {
    await handle.close().catch(() => undefined);
    await discard().catch(() => undefined);
    throw error;
  }
  await handle.close();
  return { bytes, sha256: hash.digest('hex'), commit: () => rename(temporary, path), discard };
}

/**
 * Writes a file whole: one of that name is replaced in one step at the end, and stays as it was when anything is
 * thrown.
 */
export async function writeDurably(path: string, write: (append: Append) => Promise<void>): Promise<FileDigest> {
  const file = await writeTemporary(path, write);
  try {
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
  await syncDirectory(dirname(path));
  return { bytes: file.bytes, sha256: file.sha256 };
}

/** Flushes the names in a directory to the disk. Windows has no such call and needs none. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
