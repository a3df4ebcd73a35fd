/** What went wrong, for programs. The first nine are about the file on disk, the others about the call. */
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
  | 'unknown-name'
  | 'bad-argument'
  | 'closed';

/**
 * Every error that checkpoints, safetensors and word vectors throw on purpose. The last complete checkpoint of the
 * directory, or the file that was to be replaced, is as it was when one is thrown.
 */
export class CheckpointError extends Error {
  readonly code: CheckpointErrorCode;

  constructor(code: CheckpointErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CheckpointError';
    this.code = code;
  }
}

/** True for a CheckpointError of any copy of this package (its name and a code, not `instanceof`). */
export function isCheckpointError(value: unknown): value is CheckpointError {
  return value instanceof Error && value.name === 'CheckpointError' && 'code' in value;
}

/** An error of the operating system: ENOSPC, EROFS, ENOENT … Errors of callers and of this package are not. */
export function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}
