// Where checkpoints are kept: a flat set of named files. This is the whole of what writing and reading need, so that a
// folder, the memory, a browser's private file system, or a server that answers byte ranges can all hold one.

import { CheckpointError, isStorageError } from './errors.ts';

/** How much of a tensor or file is held at a time. */
export const BLOCK_BYTES: number = 4 * 2 ** 20;

/** The part of an AbortSignal that is used here. */
export interface CancellationSignal {
  throwIfAborted(): void;
}

/** SHA-256 of bytes that come in pieces. */
export interface Hash {
  update(bytes: Uint8Array): void;
  /** In hexadecimal; the hash ends with it. */
  digest(): string;
}

/** A file open for reading at any place, by several readers at once. */
export interface RandomAccessReader {
  /** Where it is, for messages. */
  readonly path: string;
  /** Its size when it was opened. */
  readonly bytes: number;
  /**
   * Fills `target` with the bytes from `position` on.
   * @throws CheckpointError `truncated` when the file ends before; `read-failed`; `closed`
   */
  read(target: Uint8Array, position: number): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** What reading needs of a storage. */
export interface CheckpointSource {
  /** What messages call it: a folder's path, for instance. */
  readonly location: string;
  /**
   * The names of its files, in any order.
   * @throws CheckpointError `missing` where there is no such place
   */
  list(): Promise<readonly string[]>;
  /** @throws CheckpointError `missing`, `read-failed` */
  open(name: string): Promise<RandomAccessReader>;
  /** `createSha256` of this package, or a faster one. */
  createHash(): Hash;
}

/** Writes all of `bytes`, which may be reused when the promise resolves. */
export type Append = (bytes: Uint8Array) => Promise<void>;

/** The size of a file and its SHA-256 in hexadecimal. */
export interface FileDigest {
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** A file that is written and does not have its name yet. */
export interface StagedFile extends FileDigest {
  /**
   * Gives the file its name, in place of one that has it. Before this it is not there, after this it is there whole.
   */
  commit(): Promise<void>;
  /** Removes what was written. */
  discard(): Promise<void>;
}

/** The right to write into a place, which one process has at a time. */
export interface WriterLock {
  /**
   * Takes the lock again where it has been lost, as when somebody deleted its file.
   * @throws CheckpointError `locked` when another process has it by now; StorageError
   */
  confirm(): Promise<void>;
  /** Idempotent; throws nothing. */
  release(): Promise<void>;
}

/** A source that can be written to. Its methods throw a StorageError when the system below fails. */
export interface CheckpointStorage extends CheckpointSource {
  /**
   * Creates the place where there is none.
   * @returns a value that is equal for all storages of this place: writes to it then take turns
   */
  prepare(): Promise<unknown>;
  /**
   * Makes this process the only one that writes checkpoints here. Absent where no other process can write.
   * @throws CheckpointError `locked`, which names the process that has the lock
   */
  lock?(): Promise<WriterLock>;
  /** Writes a file without its name. When `fill` throws, what it wrote is removed and its error passed on. */
  stage(name: string, fill: (append: Append) => Promise<void>): Promise<StagedFile>;
  /** A file that is not there is no error. */
  remove(name: string): Promise<void>;
  /** Resolves when all commits so far would survive a power failure. */
  flush(): Promise<void>;
  /** Whether a listed file is one that an interrupted `stage` has left; the next checkpoint removes it. */
  isAbandoned?(name: string): boolean;
}

/**
 * Writes one file whole: one of that name is replaced in one step at the end, and stays as it was when anything is
 * thrown. What `fill` throws is passed on.
 * @param caller what the message begins with
 * @throws CheckpointError `write-failed` with the system's error as cause
 */
export async function storeFile(
  storage: CheckpointStorage,
  name: string,
  fill: (append: Append) => Promise<void>,
  caller: string,
): Promise<FileDigest> {
  try {
    const file = await storage.stage(name, fill);
    try {
      await file.commit();
    } catch (error) {
      await file.discard();
      throw error;
    }
    await storage.flush();
    return { bytes: file.bytes, sha256: file.sha256 };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    throw new CheckpointError(
      'write-failed',
      `${caller}: ${storage.location}/${name} was not written: ${error.message}`,
      { cause: error.cause },
    );
  }
}
