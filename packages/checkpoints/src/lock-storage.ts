// One writer a storage. Within a process writes take turns; other processes are kept out by the storage's lock, which a
// run holds from its start to its last checkpoint, and a single write for as long as it takes.

import { CheckpointError, isStorageError } from './errors.ts';
import type { CheckpointStorage, WriterLock } from './storage.ts';

const lastAction = new Map<unknown, Promise<void>>();

/**
 * Runs actions of the same key one after the other, in the order of their calls: the checkpoint at Ctrl-C waits for the
 * periodic one that is under way, instead of removing its files.
 */
async function serializeByKey<T>(key: unknown, action: () => Promise<T>): Promise<T> {
  const turn = (lastAction.get(key) ?? Promise.resolve()).then(action);
  const ended = turn.then(
    () => undefined,
    () => undefined,
  );
  lastAction.set(key, ended);
  try {
    return await turn;
  } finally {
    if (lastAction.get(key) === ended) lastAction.delete(key);
  }
}

interface HeldLock {
  readonly lock: WriterLock;
  users: number;
}

/** By the key of `prepare`. */
const heldLocks = new Map<unknown, HeldLock>();

async function acquire(storage: CheckpointStorage, key: unknown): Promise<void> {
  const held = heldLocks.get(key);
  if (held === undefined) {
    const lock = await storage.lock?.();
    if (lock !== undefined) heldLocks.set(key, { lock, users: 1 });
    return;
  }
  await held.lock.confirm();
  held.users++;
}

async function release(key: unknown): Promise<void> {
  const held = heldLocks.get(key);
  if (held === undefined || --held.users > 0) return;
  heldLocks.delete(key);
  await held.lock.release();
}

/**
 * Keeps other processes from writing checkpoints into a storage until it is disposed: for a run that writes several,
 * from its start on. The storage's place is created where there is none, and removed at the end if nothing was written
 * there. The process itself may write meanwhile, and lock again.
 * @throws CheckpointError `locked` when another process writes there, with its number, its machine and what to do;
 * `write-failed` when the storage cannot be written at all
 */
export async function lockStorage(storage: CheckpointStorage): Promise<AsyncDisposable> {
  let key: unknown;
  try {
    key = await storage.prepare();
    await serializeByKey(key, () => acquire(storage, key));
  } catch (error) {
    if (!isStorageError(error)) throw error;
    throw new CheckpointError(
      'write-failed',
      `lockStorage: ${storage.location} cannot be written: ${error.message}; give another place`,
      { cause: error.cause },
    );
  }
  let released = false;
  return {
    [Symbol.asyncDispose]: async () => {
      if (released) return;
      released = true;
      await serializeByKey(key, () => release(key));
    },
  };
}

/**
 * Runs an action that writes, in its turn and with the lock.
 * @throws CheckpointError `locked`
 */
export async function withWriterLock<T>(storage: CheckpointStorage, action: () => Promise<T>): Promise<T> {
  const key = await storage.prepare();
  return serializeByKey(key, async () => {
    await acquire(storage, key);
    try {
      return await action();
    } finally {
      await release(key);
    }
  });
}
