// Checkpoints in memory, and out of files that a person has chosen or a server has sent: each file is a Blob, which a
// browser may keep on its disk, and which is read by ranges. What was written can be downloaded from `files`.

import { CheckpointError, StorageError } from './errors.ts';
import { createSha256 } from './sha256.ts';
import type { CheckpointStorage, RandomAccessReader, StagedFile } from './storage.ts';

// TypeScript without the DOM and without Node's types knows no Blob; elsewhere this merges with theirs.
declare global {
  interface Blob {
    readonly size: number;
  }
}

/** A storage of Blobs by file name, e.g. to download them. */
export interface MemoryStorage extends CheckpointStorage {
  /** By name. */
  readonly files: ReadonlyMap<string, Blob>;
}

/** `location` is what errors call this storage. */
export interface MemoryStorageOptions {
  /** What messages call it; `memory` unless given. */
  readonly location?: string;
}

/**
 * A storage without a disk.
 * @param files what is in it at first. Bytes are copied; a Blob or File is read when it is asked for:
 * `Array.from(input.files, (file) => [file.name, file])` for the files of an `<input type="file" multiple>`.
 */
export function createMemoryStorage(
  files: Iterable<readonly [string, Blob | ArrayBuffer | Uint8Array<ArrayBuffer>]> = [],
  { location = 'memory' }: MemoryStorageOptions = {},
): MemoryStorage {
  const blobs = new Map(
    Array.from(files, ([name, file]): [string, Blob] => [name, file instanceof Blob ? file : new Blob([file])]),
  );
  const storage: MemoryStorage = {
    location,
    files: blobs,
    createHash: createSha256,
    list: () => Promise.resolve([...blobs.keys()]),
    open: async (name) => {
      const path = `${location}/${name}`;
      const blob = blobs.get(name);
      if (blob === undefined) throw new CheckpointError('missing', `checkpoint: there is no file ${path}`);
      return openBlob(blob, path);
    },
    prepare: () => Promise.resolve(storage),
    stage: async (name, fill): Promise<StagedFile> => {
      const blocks: Blob[] = [];
      const hash = createSha256();
      await fill(async (block) => {
        hash.update(block);
        try {
          blocks.push(new Blob([block.slice()]));
        } catch (error) {
          throw new StorageError(error);
        }
        await Promise.resolve();
      });
      const blob = new Blob(blocks);
      return {
        bytes: blob.size,
        sha256: hash.digest(),
        commit: async () => {
          blobs.set(name, blob);
          await Promise.resolve();
        },
        discard: () => Promise.resolve(),
      };
    },
    remove: async (name) => {
      blobs.delete(name);
      await Promise.resolve();
    },
    flush: () => Promise.resolve(),
  };
  return storage;
}

/** Ranges of a Blob as those of a file. */
export function openBlob(blob: Blob, path: string): RandomAccessReader {
  let closed = false;
  return {
    path,
    bytes: blob.size,
    read: async (target, position) => {
      if (closed)
        throw new CheckpointError('closed', `checkpoint: ${path} is closed; read its tensors before closing it`);
      const end = position + target.length;
      if (end > blob.size)
        throw new CheckpointError(
          'truncated',
          `checkpoint: ${path} is truncated: bytes up to ${end} are needed, it ends at ${blob.size}`,
        );
      let bytes: ArrayBuffer;
      try {
        bytes = await blob.slice(position, end).arrayBuffer();
      } catch (error) {
        // A File whose content has changed, or has gone, since it was chosen.
        const problem = error instanceof Error ? error.message : String(error);
        throw new CheckpointError('read-failed', `checkpoint: ${path} cannot be read: ${problem}`, { cause: error });
      }
      target.set(new Uint8Array(bytes));
    },
    close: async () => {
      closed = true;
      await Promise.resolve();
    },
  };
}
