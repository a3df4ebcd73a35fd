/**
 * An error with a stable `code` for programs and a message for people. Each package has one subclass with its own name
 * and codes, so that a copy of a package recognises the errors of another copy by name (not by `instanceof`).
 */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** True for an error of the class called `name`, of any copy of its package. */
export function isCodedError(value: unknown, name: string): value is CodedError {
  return value instanceof Error && value.name === name && 'code' in value;
}

/** What went wrong. Codes are stable across versions. */
export type LinalgErrorCode =
  | 'shape'
  | 'disposed'
  | 'aliasing'
  | 'backend-mismatch'
  | 'index-out-of-range'
  | 'out-of-memory'
  | 'device-lost'
  | 'no-sync-read'
  | 'bad-option';

/** Every error that linalg-core and the backends throw on purpose. Recognise it with {@link isLinalgError}. */
export class LinalgError extends CodedError<LinalgErrorCode> {
  override readonly name = 'LinalgError';
}

/** True for a LinalgError of any copy of this package. */
export function isLinalgError(value: unknown): value is LinalgError {
  return isCodedError(value, 'LinalgError');
}

/**
 * An option of a factory that is none of those that there are, or out of its range: a RangeError with a code, for what
 * is made before there is a layer or a backend (losses, update rules).
 */
export class OptionError extends RangeError {
  override readonly name = 'OptionError';
  readonly code = 'bad-option';
}

/** `3×4`, for messages. */
export function describeShape(handle: { readonly rows: number; readonly columns: number }): string {
  return `${handle.rows}×${handle.columns}`;
}
