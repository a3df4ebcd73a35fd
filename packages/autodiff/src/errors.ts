import { CodedError, isCodedError } from '@vastmax/linalg-core';

/** What went wrong. Codes are stable across versions. */
export type AutodiffErrorCode =
  /** Operands do not fit together. */
  | 'shape'
  /** An operation got variables of two tapes. */
  | 'tape-mismatch'
  /** A variable was used after the `reset()` that ended its step. */
  | 'stale-variable'
  | 'bad-option'
  /** The tape itself was disposed. */
  | 'disposed';

/** Every error that autodiff throws on purpose. Recognise it with {@link isAutodiffError}. */
export class AutodiffError extends CodedError<AutodiffErrorCode> {
  override readonly name = 'AutodiffError';
}

/** True for an AutodiffError of any copy of this package. */
export function isAutodiffError(value: unknown): value is AutodiffError {
  return isCodedError(value, 'AutodiffError');
}
