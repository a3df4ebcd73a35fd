// The errors of this package, and how a value out of a file is put into a message.

import { CodedError, isCodedError } from '@vastmax/linalg-core';

/**
 * What went wrong, for programs. The first ten are about the stored bytes, `locked` about another process that writes
 * there, the others about the call.
 */
export type CheckpointErrorCode =
  | 'missing'
  | 'truncated'
  | 'corrupted'
  | 'invalid-header'
  | 'invalid-line'
  | 'unsupported-version'
  | 'bad-json'
  | 'non-finite'
  | 'write-failed'
  | 'read-failed'
  | 'locked'
  | 'unknown-name'
  | 'bad-argument'
  | 'closed';

/**
 * Every error that checkpoints, safetensors and word vectors throw on purpose. The last complete checkpoint of the
 * storage, or the file that was to be replaced, is as it was when one is thrown.
 */
export class CheckpointError extends CodedError<CheckpointErrorCode> {
  override readonly name = 'CheckpointError';
}

/** True for a CheckpointError of any copy of this package (its name and a code, not `instanceof`). */
export function isCheckpointError(value: unknown): value is CheckpointError {
  return isCodedError(value, 'CheckpointError');
}

/**
 * What a storage throws when the system below it fails to write (a full disk, a missing permission, a quota), with the
 * system's error as cause. Whoever was writing turns it into a CheckpointError `write-failed`; all other errors, such
 * as those of a tensor that could not be read, are passed on as they are.
 */
export class StorageError extends CodedError<'storage-failed'> {
  override readonly name = 'StorageError';

  constructor(cause: unknown) {
    super('storage-failed', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** True for a StorageError of any copy of this package. */
export function isStorageError(value: unknown): value is StorageError {
  return isCodedError(value, 'StorageError');
}

/** A value out of a file for an error message: short, and never nested, whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
  if (Array.isArray(value)) {
    const first = value
      .slice(0, 6)
      .map((each: unknown) => (typeof each === 'object' && each !== null ? '...' : shown(each)));
    return `[${first.join(', ')}${value.length > 6 ? ', ...' : ''}]`;
  }
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
