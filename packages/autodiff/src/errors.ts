/** What went wrong, for programs; the message says it for people. Codes are stable across versions. */
export type AutodiffErrorCode =
  /** Operands do not fit together. */
  | 'shape'
  /** Variables of two tapes met in one operation. */
  | 'tape-mismatch'
  /** A variable was used after the `reset()` that ended its step. */
  | 'stale-variable'
  | 'bad-option'
  /** The tape itself was disposed. */
  | 'disposed';

/** Every error that autodiff throws on purpose. Recognise it with {@link isAutodiffError}. */
export class AutodiffError extends Error {
  readonly code: AutodiffErrorCode;

  constructor(code: AutodiffErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AutodiffError';
    this.code = code;
  }
}

/** True for an AutodiffError of any copy of this package (its name and a code, not `instanceof`). */
export function isAutodiffError(value: unknown): value is AutodiffError {
  return value instanceof Error && value.name === 'AutodiffError' && 'code' in value;
}
