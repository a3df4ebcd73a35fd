// Checkpoints in a folder of the disk. A file comes into being whole or not at all: it is written under a temporary
// name, flushed to the disk, renamed (atomic on POSIX and NTFS), and its folder is flushed too, without which a power
// failure may take the name back.

import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, realpath, rename, rm, rmdir, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CheckpointError, StorageError } from './errors.ts';
import { isProcess, lockFolder } from './folder-lock.ts';
import type { Append, CheckpointStorage, Hash, RandomAccessReader, StagedFile } from './storage.ts';

/** Temporary names tell whose they are: `.NAME.PID-RANDOM.tmp`. */
const TEMPORARY = /^\..+\.(?<pid>\d+)-[0-9a-f]{12}\.tmp$/;

/**
 * A storage in a folder, which writing creates where there is none. On POSIX a checkpoint that is open stays readable
 * when a later one has replaced it.
 */
export function createFileStorage(folder: string): CheckpointStorage {
  // The process may change its working directory while a checkpoint is written.
  const root = resolve(folder);
  let isCreated = false;
  const writeFile: CheckpointStorage['stage'] = (name, fill) => writeTemporary(root, name, fill);
  return {
    location: folder,
    createHash: createNodeHash,
    list: () => listFiles(root, folder),
    open: (name) => openFile(join(root, name), join(folder, name)),
    prepare: () =>
      attempt(async () => {
        if (await createFolder(root)) {
          isCreated = true;
          await syncFolder(dirname(root));
        }
        return realpath(root);
      }),
    lock: () =>
      attempt(async () => {
        // A folder in which something was written is not empty, and stays.
        const removeIfEmpty = async (): Promise<void> => {
          if (isCreated) await rmdir(root).catch(() => undefined);
        };
        // Another process whose lock ended may remove the empty folder between `prepare` and the first file.
        const stage: typeof writeFile = async (name, fill) => {
          try {
            return await writeFile(name, fill);
          } catch (error) {
            if (!isSystemError(error) || error.code !== 'ENOENT') throw error;
            if (await createFolder(root)) isCreated = true;
            return writeFile(name, fill);
          }
        };
        try {
          const lock = await lockFolder(root, folder, stage);
          return {
            confirm: () => attempt(lock.confirm),
            release: async () => {
              await lock.release();
              await removeIfEmpty();
            },
          };
        } catch (error) {
          await removeIfEmpty();
          throw error;
        }
      }),
    stage: (name, fill) => attempt(() => writeFile(name, fill)),
    remove: (name) => attempt(() => rm(join(root, name), { force: true })),
    flush: () => attempt(() => syncFolder(root)),
    isAbandoned: (name) => {
      const pid = TEMPORARY.exec(name)?.groups?.pid;
      // Writes of this process to one folder take turns, so a temporary file of its own is of one that ended.
      return pid !== undefined && (Number(pid) === process.pid || !isProcess(Number(pid)));
    },
  };
}

/**
 * Creates a folder and those above it. `mkdir` with `recursive` does the same, but never ends where the system has no
 * such folder and lets nobody create it (`/proc/x`).
 * @returns whether it was created; false where there is one
 * @throws the system's error
 */
export async function createFolder(path: string): Promise<boolean> {
  const create = async (): Promise<boolean | undefined> => {
    try {
      await mkdir(path);
      return true;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      if (error.code === 'ENOENT') return undefined;
      // Of a folder that is there; of a disk's root some systems say otherwise.
      if (!['EEXIST', 'EISDIR', 'EPERM'].includes(error.code)) throw error;
      const stats = await stat(path).catch((problem: unknown) => {
        throw isSystemError(problem) && problem.code === 'ENOENT' ? error : problem;
      });
      if (stats.isDirectory()) return false;
      throw error;
    }
  };
  const isCreated = await create();
  if (isCreated !== undefined) return isCreated;
  const parent = dirname(resolve(path));
  await createFolder(parent);
  // Now a missing folder is not the reason.
  return (await create()) ?? mkdir(path).then(() => true);
}

function createNodeHash(): Hash {
  const hash = createHash('sha256');
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    digest: () => hash.digest('hex'),
  };
}

async function listFiles(root: string, folder: string): Promise<readonly string[]> {
  try {
    return await readdir(root);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ENOENT')
      throw new CheckpointError('missing', `there is no directory ${folder}`, { cause: error });
    if (error.code === 'ENOTDIR')
      throw new CheckpointError('missing', `${folder} is not a directory`, { cause: error });
    throw new StorageError(error);
  }
}

/** Fills a temporary file and flushes it. When `fill` throws, the file is gone again. */
async function writeTemporary(
  root: string,
  name: string,
  fill: (append: Append) => Promise<void>,
): Promise<StagedFile> {
  const temporary = join(root, `.${name}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  const discard = (): Promise<void> => rm(temporary, { force: true });
  const hash = createHash('sha256');
  let bytes = 0;
  const handle = await open(temporary, 'wx');
  try {
    await fill(async (block) => {
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
  return {
    bytes,
    sha256: hash.digest('hex'),
    commit: () => attempt(() => rename(temporary, join(root, name))),
    discard: () => attempt(discard),
  };
}

/** Flushes the names in a folder to the disk. Windows has no such call and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @param label what messages call it */
async function openFile(path: string, label: string): Promise<RandomAccessReader> {
  let handle: FileHandle | undefined;
  try {
    // Opening a pipe would wait for its writer, so what it is comes first.
    if (!(await stat(path)).isFile())
      throw new CheckpointError('read-failed', `checkpoint: ${label} is not a regular file`);
    handle = await open(path, 'r');
    return createReader(handle, (await handle.stat()).size, label);
  } catch (error) {
    await handle?.close().catch(() => undefined);
    throw readError(label, error);
  }
}

function createReader(handle: FileHandle, bytes: number, path: string): RandomAccessReader {
  let closed = false;
  return {
    path,
    bytes,
    read: async (target, position) => {
      if (closed)
        throw new CheckpointError('closed', `checkpoint: ${path} is closed; read its tensors before closing it`);
      let done = 0;
      try {
        while (done < target.length) {
          const { bytesRead } = await handle.read(target, done, target.length - done, position + done);
          if (bytesRead === 0)
            throw new CheckpointError(
              'truncated',
              `checkpoint: ${path} is truncated: bytes up to ${position + target.length} are needed, it ends at ${position + done}`,
            );
          done += bytesRead;
        }
      } catch (error) {
        throw readError(path, error);
      }
    },
    close: async () => {
      if (closed) return;
      closed = true;
      try {
        await handle.close();
      } catch (error) {
        throw readError(path, error);
      }
    },
  };
}

function readError(path: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    return new CheckpointError('missing', `checkpoint: there is no file ${path}`, { cause: error });
  return new CheckpointError('read-failed', `checkpoint: ${path} cannot be read: ${error.message}`, { cause: error });
}

async function attempt<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw isSystemError(error) ? new StorageError(error) : error;
  }
}

/** An error of the operating system: ENOSPC, EROFS, ENOENT … Errors of callers and of this package are not. */
function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}
