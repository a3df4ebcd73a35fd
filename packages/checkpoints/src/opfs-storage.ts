// Checkpoints in a folder of a browser's private file system (https://fs.spec.whatwg.org, "origin private file
// system"), where they stay when the page is closed. `createWritable` writes beside the file and puts it in place when
// it is closed, in one step, which is what a commit needs.
//
// A name has to be created before anything can be written for it. A page that is closed during its first save so leaves
// an empty checkpoint.json, which counts as none; other empty files are removed by the next checkpoint like all that
// belongs to none.

import { CheckpointError, StorageError } from './errors.ts';
import { MANIFEST_NAME } from './manifest.ts';
import { openBlob } from './memory-storage.ts';
import { createSha256 } from './sha256.ts';
import type { Append, CheckpointStorage, StagedFile, WriterLock } from './storage.ts';

/** The part of a FileSystemDirectoryHandle that is used; this package compiles without the types of a page. */
export interface DirectoryHandle {
  readonly name: string;
  keys(): AsyncIterable<string>;
  getFileHandle(name: string, options?: { readonly create?: boolean }): Promise<FileHandle>;
  removeEntry(name: string): Promise<void>;
}

/** The part of a FileSystemFileHandle that is used. */
export interface FileHandle {
  getFile(): Promise<Blob>;
  createWritable(): Promise<WritableFile>;
}

/** The part of a FileSystemWritableFileStream that is used. */
export interface WritableFile {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
  abort(reason?: unknown): Promise<void>;
}

/**
 * A storage in a folder of the browser, `await navigator.storage.getDirectory()` or one below it. The folder belongs to
 * checkpoints from then on. While one page writes there, another is refused (`locked`), by Web Locks; they do not know
 * folders outside of the private file system, where the later of two ends with `write-failed`. A checkpoint that is open can no longer be read once another has replaced it.
 */
export function createOpfsStorage(directory: DirectoryHandle): CheckpointStorage {
  const location = directory.name === '' ? 'opfs' : `opfs/${directory.name}`;
  const pathOf = (name: string): string => `${location}/${name}`;
  return {
    location,
    createHash: createSha256,
    list: () => attempt(() => namesOf(directory)),
    open: async (name) => {
      const path = pathOf(name);
      try {
        const blob = await (await directory.getFileHandle(name)).getFile();
        if (blob.size > 0 || name !== MANIFEST_NAME) return openBlob(blob, path);
      } catch (error) {
        if (nameOf(error) === 'TypeMismatchError')
          throw new CheckpointError('read-failed', `checkpoint: ${path} is not a regular file`, { cause: error });
        if (nameOf(error) !== 'NotFoundError')
          throw new CheckpointError('read-failed', `checkpoint: ${path} cannot be read: ${String(error)}`, {
            cause: error,
          });
      }
      throw new CheckpointError('missing', `checkpoint: there is no file ${path}`);
    },
    prepare: () => Promise.resolve(directory),
    lock: () => lockDirectory(directory, location),
    stage: (name, fill) => stage(directory, name, fill),
    remove: (name) => attempt(() => removeIfThere(directory, name)),
    // A file is closed only when its bytes are in place; pages have no call beyond that.
    flush: () => Promise.resolve(),
  };
}

/** The part of a page's `navigator` that is used. */
interface PageNavigator {
  readonly locks?: {
    request(
      name: string,
      options: { readonly ifAvailable: true },
      callback: (lock: unknown) => Promise<void> | undefined,
    ): Promise<unknown>;
  };
  readonly storage?: {
    getDirectory(): Promise<{ resolve(handle: DirectoryHandle): Promise<readonly string[] | null> }>;
  };
}

/** https://w3c.github.io/web-locks: the browser takes a lock back when its page is closed. */
async function lockDirectory(directory: DirectoryHandle, location: string): Promise<WriterLock> {
  const noLock: WriterLock = { confirm: () => Promise.resolve(), release: () => Promise.resolve() };
  const { locks, storage } = (globalThis as unknown as { readonly navigator?: PageNavigator }).navigator ?? {};
  if (locks === undefined || storage === undefined) return noLock;
  const path = await attempt(async () => (await storage.getDirectory()).resolve(directory));
  if (path === null) return noLock;
  return new Promise((resolve, reject) => {
    const hold = (lock: unknown): Promise<void> | undefined => {
      if (lock === null) {
        reject(
          new CheckpointError(
            'locked',
            `${location} is being written by another page or worker; wait until it ends, or give this one another folder`,
          ),
        );
        return undefined;
      }
      return new Promise((end) => {
        resolve({
          ...noLock,
          release: () => {
            end();
            return Promise.resolve();
          },
        });
      });
    };
    locks.request(`@vastmax/checkpoints ${path.join('/')}`, { ifAvailable: true }, hold).catch((error: unknown) => {
      reject(new StorageError(error));
    });
  });
}

async function stage(
  directory: DirectoryHandle,
  name: string,
  fill: (append: Append) => Promise<void>,
): Promise<StagedFile> {
  const isNew = await attempt(() => isAbsent(directory, name));
  const writable = await attempt(async () => (await directory.getFileHandle(name, { create: true })).createWritable());
  const discard = async (): Promise<void> => {
    await attempt(async () => {
      await writable.abort();
      if (isNew) await removeIfThere(directory, name);
    });
  };
  const hash = createSha256();
  let bytes = 0;
  try {
    await fill(async (block) => {
      await attempt(() => writable.write(block.slice()));
      hash.update(block);
      bytes += block.length;
    });
  } catch (error) {
    await discard().catch(() => undefined);
    throw error;
  }
  return { bytes, sha256: hash.digest(), commit: () => attempt(() => writable.close()), discard };
}

async function namesOf(directory: DirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const name of directory.keys()) names.push(name);
  return names;
}

async function isAbsent(directory: DirectoryHandle, name: string): Promise<boolean> {
  try {
    await directory.getFileHandle(name);
    return false;
  } catch (error) {
    if (nameOf(error) === 'NotFoundError') return true;
    throw error;
  }
}

async function removeIfThere(directory: DirectoryHandle, name: string): Promise<void> {
  try {
    await directory.removeEntry(name);
  } catch (error) {
    if (nameOf(error) !== 'NotFoundError') throw error;
  }
}

/** Of a DOMException, which is how a browser tells its reasons apart. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

async function attempt<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new StorageError(error);
  }
}
